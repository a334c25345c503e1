"""What booking does about kinds of clearance and about what clinics require. Each story runs inside one transaction.

A change takes its clinic's row, so that versions count one by one.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from booking.clearances.domain.kinds import Kind, is_new_word
from booking.clearances.domain.policy import ClearancePolicy, Wanted, change_of, checked, giving_up
from booking.values.refusals import UNKNOWN_CLINIC, Refused


class RequirementStore(Protocol):
    """Kinds and policies as one transaction sees them."""

    async def lock_clinic(self, clinic_id: str) -> bool:
        """Lock a clinic's row; False if there is none."""

    async def kinds(self, clinics: Sequence[str]) -> Mapping[str, Mapping[str, Kind]]:
        """Return each clinic's kinds by name."""

    async def policies(self, clinic_id: str) -> tuple[Sequence[ClearancePolicy], int]:
        """Return the newest policies of a clinic and its service types, and the last version."""

    async def keep_policy(self, policy: ClearancePolicy) -> None:
        """Append a version of a policy."""

    async def keep_kind(self, kind: Kind) -> None:
        """Append a word about a kind."""


async def set_policy(
    store: RequirementStore, clinic_id: str, service_type: str | None, wanted: Wanted, by: str, now: datetime
) -> tuple[Sequence[ClearancePolicy], bool]:
    """Put a policy in force; the same again changes nothing.

    Returns:
        The newest policies of the clinic and its service types, and whether one of them is new.

    Raises:
        Refused: UNKNOWN_CLINIC; as `policy.checked`.
    """
    held, last = await _locked(store, clinic_id)
    wanted = checked(wanted, (await store.kinds([clinic_id]))[clinic_id])
    own = own_of(held, service_type)
    return await _kept(store, held, change_of(own, clinic_id, service_type, wanted, last + 1, by, now))


async def unset_policy(
    store: RequirementStore, clinic_id: str, service_type: str | None, by: str, now: datetime
) -> tuple[Sequence[ClearancePolicy], bool]:
    """Give a policy up; as `set_policy`."""
    held, last = await _locked(store, clinic_id)
    return await _kept(store, held, giving_up(own_of(held, service_type), last + 1, by, now))


async def set_kind(store: RequirementStore, kind: Kind) -> bool:
    """Keep a clinic's word about a kind, and return whether it is new.

    Raises:
        Refused: UNKNOWN_CLINIC, KIND_SHAPE_FIXED.
    """
    clinic_id = kind.clinic_id or ""
    await _locked(store, clinic_id)
    if not is_new_word((await store.kinds([clinic_id]))[clinic_id].get(kind.kind), kind):
        return False
    await store.keep_kind(kind)
    return True


def own_of(held: Sequence[ClearancePolicy], service_type: str | None) -> ClearancePolicy | None:
    """Return the newest policy of a service type's own, or of the clinic's own; None: never set."""
    return next((one for one in held if one.service_type == service_type), None)


def with_change(held: Sequence[ClearancePolicy], change: ClearancePolicy | None) -> Sequence[ClearancePolicy]:
    """Return the newest policies after a change, if there is one."""
    if change is None:
        return held
    return [*(one for one in held if one.service_type != change.service_type), change]


async def _locked(store: RequirementStore, clinic_id: str) -> tuple[Sequence[ClearancePolicy], int]:
    if not await store.lock_clinic(clinic_id):
        raise Refused(UNKNOWN_CLINIC, "no clinic has this code; PUT /v1/clinics first", "code")
    return await store.policies(clinic_id)


async def _kept(
    store: RequirementStore, held: Sequence[ClearancePolicy], change: ClearancePolicy | None
) -> tuple[Sequence[ClearancePolicy], bool]:
    if change is not None:
        await store.keep_policy(change)
    return with_change(held, change), change is not None
