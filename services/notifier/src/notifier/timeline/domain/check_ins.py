"""Who was let in although something lacked, and who was not let in, as a timeline tells it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from notifier.timeline.domain.entries import BOOKING, Entry, Lacking

_IN = frozenset({"checked-in", "fulfilled"})
"""Statuses of a visit whose patient was let in."""

_OTHERWISE = {"CHANGED_MEANWHILE": "the visit is another patient's"}


@dataclass(frozen=True, slots=True)
class CheckInFact:
    """A check-in that was taken. `version` is the one of the visit that it made, `lacking` what lacked then."""

    version: int
    at: datetime
    client: str
    by: str | None
    at_desk: bool
    overridden: bool
    reason: str | None
    lacking: tuple[Lacking, ...]


@dataclass(frozen=True, slots=True)
class RefusedFact:
    """A check-in at our own door that was refused. `version` and `status` are the visit's, as it was."""

    version: int
    at: datetime
    code: str
    status: str
    client: str
    by: str | None
    lacking: tuple[Lacking, ...]


@dataclass(frozen=True, slots=True)
class LetIn:
    """How the patient came in who is in.

    Attributes:
        text: In a sentence.
        lacking: What lacked then.
    """

    text: str
    at: datetime
    overridden: bool
    lacking: tuple[Lacking, ...] = ()


def in_short(lacking: Iterable[Lacking]) -> str:
    """Return what lacks, in words."""
    return ", ".join(f"{one.title} ({one.code.lower().replace('_', ' ')})" for one in lacking)


def of_check_ins(facts: Iterable[CheckInFact]) -> list[Entry]:
    """Return an entry for each check-in for which something lacked; the others are told by their version."""
    return [
        Entry(
            one.at,
            BOOKING,
            "check-in.overridden" if one.overridden else "check-in.uncleared",
            _although(one),
            one.reason,
            ids={"version": str(one.version)},
            nth=one.version,
        )
        for one in facts
        if one.lacking
    ]


def of_refused(facts: Iterable[RefusedFact]) -> list[Entry]:
    """Return an entry for each check-in that was refused."""
    return [
        Entry(
            one.at,
            BOOKING,
            "check-in.refused",
            f"check-in refused, asked for by {_who(one.by, one.client)}: {_why(one)}",
            one.code,
            ids={"version": str(one.version)},
            nth=one.version,
        )
        for one in facts
    ]


def let_in(status: str | None, facts: Sequence[CheckInFact]) -> LetIn | None:
    """Return how the patient came in who is in; None: he is not, or nothing was required of him."""
    if status not in _IN or not facts:
        return None
    last = facts[-1]
    text = _although(last) if last.lacking else f"let in, {_by(last)}"
    told = f"{text}: {last.reason}" if last.reason else text
    return LetIn(told[0].upper() + told[1:], last.at, last.overridden, last.lacking)


def _although(one: CheckInFact) -> str:
    return f"let in although the visit lacked {in_short(one.lacking)}, {_by(one)}"


def _by(one: CheckInFact) -> str:
    if not one.at_desk:
        return f"as {one.client} reports"
    return f"{'by override of' if one.overridden else 'by'} {_who(one.by, one.client)}"


def _who(by: str | None, client: str) -> str:
    return f"{by} ({client})" if by else client


def _why(one: RefusedFact) -> str:
    if one.code == "NOT_CLEARED":
        return f"the visit lacks {in_short(one.lacking)}"
    return _OTHERWISE.get(one.code, f"the visit is {one.status}")
