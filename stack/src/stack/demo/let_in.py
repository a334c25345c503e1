"""Who is let in at the clinic that enforces, and for want of what not: the rules as worded, and no code of theirs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from stack.demo.calendar import local
from stack.demo.changes import Change
from stack.demo.clearing import NOTIFY_DAYS, SELF_PAY, SERVICE, Act, CheckIn, Word

CODES = {"pending": "PENDING", "refused": "REFUSED", "withdrawn": "WITHDRAWN"}
"""What a requirement comes to by what was said last; of one of which nothing was said it is MISSING."""

FlagNow = tuple[str, str, str]
"""(appointment, code, open or done)"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of one check-in.

    Attributes:
        what: `let in`, `refused`, `overridden`, or `reported`: by upstream, so that nobody could refuse it.
        lacks: What lacked, such as `consent MISSING`.
    """

    act: CheckIn | Change
    what: str
    lacks: str


@dataclass
class _Visit:
    states: dict[str, str] = field(default_factory=dict)
    payer_class: str | None = None
    flags: dict[str, str] = field(default_factory=dict)
    is_in: bool = False

    def lacks(self) -> str:
        asked = ["consent"] + (["financial"] if self.payer_class in {None, SELF_PAY} else [])
        return ", ".join(
            f"{kind} {CODES.get(self.states.get(kind, ''), 'MISSING')}"
            for kind in asked
            if self.states.get(kind) not in {"cleared", "waived"}
        )

    def come_in(self) -> None:
        """R34: whoever is in needs not be told before what he lacks."""
        self.is_in = True
        if "CLEARANCE_MISSING" in self.flags:
            self.flags["CLEARANCE_MISSING"] = "done"

    def hear(self, word: Word) -> None:
        self.states[word.kind] = word.state
        if word.payer_class is not None:
            self.payer_class = word.payer_class if word.state in {"cleared", "waived"} else None
        if word.state in {"refused", "withdrawn"} and self.lacks():
            self.flags["CLEARANCE_MISSING"] = "open"
        elif not self.lacks():
            self.flags = dict.fromkeys(self.flags, "done")


@dataclass(frozen=True, slots=True)
class Missing:
    """Days before its start, by the wall, a visit is found to lack what its clinic requires (R34)."""

    at: datetime
    appointment: str


@dataclass
class Desk:
    """Everything that is said and done of clearances in the week, in order of time.

    Attributes:
        answers: What every check-in must be answered.
        flags: What must be on the work list in the end.
        missing: Of what patients must be told that it is missing, and when.
    """

    answers: list[Answer] = field(default_factory=list)
    flags: set[FlagNow] = field(default_factory=set)
    missing: list[Missing] = field(default_factory=list)

    def let_in(self) -> Iterator[Change | CheckIn]:
        """Give each check-in that our own door takes."""
        return (one.act for one in self.answers if one.what in {"let in", "overridden"})


def at_the_desk(changes: Iterable[Change], acts: Iterable[Act]) -> Desk:
    """Return what must come of what is said and done at the desk. What upstream says at an instant comes before it."""
    found, visits = Desk(), dict[str, _Visit]()
    to_clear = [one for one in changes if one.service == SERVICE]
    reported = [one for one in to_clear if one.status == "checked-in"]
    looks = [look for one in to_clear if one.status == "booked" for look in _looks(one)]
    for act in sorted([*looks, *reported, *acts], key=lambda one: one.at):
        visit = visits.setdefault(act.appointment, _Visit())
        if isinstance(act, Word):
            visit.hear(act)
        elif isinstance(act, Missing):
            if visit.lacks():
                found.missing.append(act)
                visit.flags["CLEARANCE_MISSING"] = "open"
        elif not visit.is_in:
            found.answers.append(answer := _answer(act, visit.lacks()))
            if answer.what != "refused":
                visit.come_in()
            if answer.what == "reported" and answer.lacks:
                visit.flags["NOT_CLEARED"] = "open"
    found.flags = {(name, code, state) for name, visit in visits.items() for code, state in visit.flags.items()}
    return found


def _looks(booked: Change) -> Iterator[Missing]:
    """Yield when it is looked at what a visit lacks, unless it was booked later."""
    wall = booked.start.astimezone(ZoneInfo(booked.zone))
    for days in NOTIFY_DAYS:
        at = local(wall.date() - timedelta(days=days), wall.time(), booked.zone)
        if booked.at <= at:
            yield Missing(at, booked.appointment)


def with_the_desk(changes: Iterable[Change], acts: Iterable[Act]) -> tuple[Change, ...]:
    """Return the changes and, after them, the versions that check-ins at our own door make of their visits."""
    told = tuple(changes)
    booked = {one.appointment: one for one in told if one.status == "booked" and one.answer == "applied"}
    return (
        *told,
        *(
            booked[one.appointment].then(one.at, "checked-in", status="checked-in")
            for one in at_the_desk(told, acts).let_in()
        ),
    )


def _answer(act: CheckIn | Change, lacks: str) -> Answer:
    if isinstance(act, Change):
        return Answer(act, "reported", lacks)
    if not lacks:
        return Answer(act, "let in", "")
    return Answer(act, "overridden" if act.override else "refused", lacks)
