"""What a clinic requires before check-in: data, versioned as reminder policies are."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from booking.clearances.domain.kinds import Kind, Shape
from booking.values.refusals import Refused

MOST_REQUIREMENTS = 20
MOST_NOTICES = 5
LONGEST_DAYS = 90


class Mode(StrEnum):
    """What becomes of a check-in of a visit that is not cleared."""

    OBSERVE = "observe"
    ENFORCE = "enforce"


class Requirement(NamedTuple):
    """One thing that has to be cleared.

    Attributes:
        form: The form of a consent; None: any.
        versions: Those of the form that count; none: any.
        payer_classes: Whom it is required of; none: everybody. Who is of no class that is known, is asked for it.
        how: What the patient has to do; None: as the kind says.
        link: Where; None: as the kind says.
    """

    kind: str
    form: str | None = None
    versions: tuple[str, ...] = ()
    payer_classes: tuple[str, ...] = ()
    how: str | None = None
    link: str | None = None


class ClearancePolicy(NamedTuple):
    """What is required of the visits of a clinic, or of one of its service types.

    Attributes:
        service_type: None: the clinic's, for every service type without its own.
        notify_days: How many days before the visit a patient is told what lacks.
        unset: It is given up.
    """

    clinic_id: str
    version: int
    service_type: str | None
    mode: Mode
    requires: tuple[Requirement, ...]
    notify_days: tuple[int, ...]
    set_by: str
    set_at: datetime
    unset: bool = False


class Wanted(NamedTuple):
    """What somebody wants to be required."""

    mode: Mode
    requires: tuple[Requirement, ...] = ()
    notify_days: tuple[int, ...] = ()


NOTHING_REQUIRED = Wanted(Mode.OBSERVE)


def checked(wanted: Wanted, kinds: Mapping[str, Kind]) -> Wanted:
    """Return what is wanted, with the days in their one order, longest first.

    Args:
        kinds: Those of the clinic, by name.

    Raises:
        Refused: UNKNOWN_KIND, NOT_OF_THIS_KIND, DUPLICATE_REQUIREMENT, TOO_MANY_REQUIREMENTS, NUMBER_OUT_OF_RANGE;
            the place is that of the requirement.
    """
    if len(wanted.requires) > MOST_REQUIREMENTS:
        raise Refused("TOO_MANY_REQUIREMENTS", f"at most {MOST_REQUIREMENTS}", "requires")
    seen: set[tuple[str, str | None]] = set()
    for number, one in enumerate(wanted.requires):
        _check(one, kinds.get(one.kind), place := f"requires.{number}")
        if (one.kind, one.form) in seen:
            raise Refused("DUPLICATE_REQUIREMENT", "it is required already", place)
        seen.add((one.kind, one.form))
    days = sorted(set(wanted.notify_days), reverse=True)
    if len(days) > MOST_NOTICES or any(not 1 <= day <= LONGEST_DAYS for day in days):
        raise Refused("NUMBER_OUT_OF_RANGE", f"at most {MOST_NOTICES}, of 1 to {LONGEST_DAYS} days", "notify_days")
    return wanted._replace(notify_days=tuple(days))


def _check(one: Requirement, kind: Kind | None, place: str) -> None:
    if kind is None:
        raise Refused("UNKNOWN_KIND", "this clinic has no such kind: PUT its clearance-kinds first", f"{place}.kind")
    if kind.shape is not Shape.CONSENT and (one.form or one.versions):
        raise Refused("NOT_OF_THIS_KIND", "only a consent has a form", f"{place}.form")
    if one.versions and one.form is None:
        raise Refused("MISSING_FIELD", "name the form that has these versions", f"{place}.form")
    if kind.shape is not Shape.FINANCIAL and one.payer_classes:
        raise Refused("NOT_OF_THIS_KIND", "only what is paid has classes of payers", f"{place}.payer_classes")


def in_force(policies: Collection[ClearancePolicy], service_type: str | None) -> ClearancePolicy | None:
    """Return what is required of a service type: its own, else the clinic's; None: nothing.

    Args:
        policies: The newest of a clinic and of each of its service types, given up or not.
    """
    newest = {one.service_type: one for one in policies if not one.unset}
    return newest.get(service_type) or newest.get(None)


def change_of(
    held: ClearancePolicy | None, clinic_id: str, service_type: str | None, wanted: Wanted, version: int, by: str,
    now: datetime,
) -> ClearancePolicy | None:  # fmt: skip
    """Return the version that puts what is wanted in force, or None if it is.

    Args:
        held: The newest of the service type itself, or of the clinic itself; None: never set.
    """
    if held is not None and not held.unset and Wanted(held.mode, held.requires, held.notify_days) == wanted:
        return None
    return ClearancePolicy(clinic_id, version, service_type, *wanted, by, now)


def giving_up(held: ClearancePolicy | None, version: int, by: str, now: datetime) -> ClearancePolicy | None:
    """Return the version by which one's own policy ends, or None if there is none."""
    if held is None or held.unset:
        return None
    return held._replace(version=version, set_by=by, set_at=now, unset=True)


def known_versions(policies: Sequence[ClearancePolicy], kind: str, form: str) -> frozenset[str]:
    """Return every version of a form that the clinic ever named; none: it never named any."""
    named = (one for policy in policies for one in policy.requires if (one.kind, one.form) == (kind, form))
    return frozenset(version for one in named for version in one.versions)
