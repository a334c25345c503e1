"""What booking does about reminder policies, story by story (D13, B4). Each runs inside one transaction.

Locks: a change takes its clinic's row, then the jobs it supersedes; a job takes its own row, then appointments.
A job reads the clinic after it holds the appointments, so it stamps what is in force at its commit.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

import structlog

from booking.appointments.domain.state import AppointmentState
from booking.appointments.ports import VersionStore
from booking.clinics.domain.clinic import ClinicState
from booking.policies.domain.change import PolicyChange, change_of, giving_up
from booking.policies.domain.effect import NOTHING, Effect, effect_of, is_touched
from booking.policies.domain.rules import Lead
from booking.values.refusals import Refused
from chassis.postgres.after_commit import after_commit
from schemas.appointments import SENDABLE, Appointment

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Job:
    """The reissue of a policy change: from which visit on it has still to look.

    Attributes:
        after: (start, appointment id) of the last visit looked at, None at the beginning.
    """

    clinic_id: str
    version: int
    service_type: str | None
    policy_id: str
    set_at: datetime
    has_begun: bool
    after: tuple[datetime, UUID] | None

    @property
    def cause(self) -> str:
        """What the new versions of appointments name as their cause."""
        return f"reminder-policy/{self.policy_id}"


class PolicyStore(Protocol):
    """Policies and their jobs as one transaction sees them."""

    async def lock_clinic(self, clinic_id: str) -> ClinicState | None:
        """Lock a clinic's row and return it."""

    async def minted(self, clinic_id: str) -> tuple[Collection[str], int]:
        """Return every slug the clinic ever had, and its last policy version (0: none)."""

    async def keep(self, change: PolicyChange, clinic: ClinicState) -> None:
        """Append the change, put it in force, publish the clinic if it has a new version, open its job."""

    async def raise_fences(self) -> None:
        """Mark the jobs that have no fence yet; they begin once all transactions of before have ended."""

    async def next_job(self) -> Job | None:
        """Lock and return a job that may go on and nobody else has, or None."""

    async def begin(self, job: Job, services: Collection[str], now: datetime) -> None:
        """Note that a job runs, and how many visits are ahead."""

    async def ahead(
        self, job: Job, services: Collection[str], after: tuple[datetime, UUID], size: int
    ) -> Sequence[tuple[UUID, datetime]]:
        """Return the next visits (id, start) that may be reminded, soonest first."""

    async def snapshots(self, states: Mapping[UUID, AppointmentState]) -> Mapping[UUID, Appointment]:
        """Return these versions as they were published."""

    async def move(self, job: Job, last: tuple[UUID, datetime], looked_at: int, effect: Effect) -> None:
        """Note how far the job came and what it did."""

    async def finish(self, job: Job, looked_at: int, effect: Effect, now: datetime) -> None:
        """Note that the job is done."""


async def set_policy(
    store: PolicyStore, clinic_id: str, service_type: str | None, leads: Sequence[Lead], set_by: str, now: datetime
) -> tuple[ClinicState, PolicyChange | None]:
    """Put lead times in force; return the clinic as it is then and the change, None if they were in force already."""
    clinic = await _locked(store, clinic_id)
    minted, last = await store.minted(clinic_id)
    return await _kept(store, clinic, change_of(clinic, service_type, leads, minted, last + 1, set_by, now))


async def unset_policy(
    store: PolicyStore, clinic_id: str, service_type: str, set_by: str, now: datetime
) -> tuple[ClinicState, PolicyChange | None]:
    """Give a service type the clinic's policy again; return as `set_policy`, None if it has none of its own."""
    clinic = await _locked(store, clinic_id)
    minted, last = await store.minted(clinic_id)
    return await _kept(store, clinic, giving_up(clinic, service_type, minted, last + 1, set_by, now))


async def _locked(store: PolicyStore, clinic_id: str) -> ClinicState:
    clinic = await store.lock_clinic(clinic_id)
    if clinic is None:
        raise Refused("UNKNOWN_CLINIC", "no clinic has this code; PUT /v1/clinics first", "clinic")
    return clinic


async def _kept(
    store: PolicyStore, clinic: ClinicState, change: PolicyChange | None
) -> tuple[ClinicState, PolicyChange | None]:
    if change is None:
        return clinic, None
    changed = change.in_force_at(clinic)
    await store.keep(change, changed)
    rules = [rule.slug for rule in change.rules]
    said = {"policy_id": change.policy_id, "set_by": change.set_by, "unset": change.unset, "rules": rules}
    after_commit(log.info, "policy.set", **said)
    return changed, change


async def reissue(store: PolicyStore, versions: VersionStore, size: int, now: datetime) -> int | None:
    """Give the next visits of a job their new version; return how many got one, None if there is no job to go on.

    Only visits that have not begun and may be reminded are looked at, and of these only those change whose
    stamped rules are not those in force: what was booked or changed meanwhile has them already.

    Args:
        store: Policies and jobs, in the same transaction as `versions`.
    """
    job = await store.next_job()
    if job is None:
        return None
    services = (await versions.clinics([job.clinic_id]))[job.clinic_id].own_services if not job.service_type else ()
    if not job.has_begun:
        await store.begin(job, services, now)
    from_now = (now, UUID(int=2**128 - 1))
    found = await store.ahead(job, services, max(job.after or from_now, from_now), size)
    held = await versions.lock([key for key, _ in found])
    clinics = await versions.clinics([job.clinic_id])
    effect, states = await _touched(store, job, held, clinics[job.clinic_id], now)
    if states:
        await versions.write_appointments(states)
        await versions.publish_versions(sorted(states.items()), clinics)
    if len(found) == size:
        await store.move(job, found[-1], len(found), effect)
    else:
        await store.finish(job, len(found), effect, now)
        after_commit(log.info, "policy.reissued", policy_id=job.policy_id)
    return len(states)


async def _touched(
    store: PolicyStore, job: Job, held: Mapping[UUID, AppointmentState], clinic: ClinicState, now: datetime
) -> tuple[Effect, dict[UUID, AppointmentState]]:
    """Return what the policy in force changes for these visits, and their next versions."""
    its = {key: state for key, state in held.items() if state.clinic_id == job.clinic_id and _is_ahead(state, now)}
    effect, states = NOTHING, {}
    for key, appointment in (await store.snapshots(its)).items():
        policy = clinic.policy_for(appointment.service_type)
        if is_touched(appointment, policy.rules):
            effect = effect.plus(effect_of(appointment, policy, job.set_at))
            states[key] = its[key]._replace(
                version=its[key].version + 1, event_time=now, ingest_time=now, caused_by=job.cause, reason=None
            )
    return effect, states


def _is_ahead(state: AppointmentState, now: datetime) -> bool:
    return state.status in SENDABLE and state.starts_at is not None and state.starts_at > now
