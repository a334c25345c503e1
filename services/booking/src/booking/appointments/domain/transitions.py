"""The state table of an appointment: which step from one status to another is whose (D42, R33, 0052).

A step is allowed, or a fact that is taken however it came, or a correction that takes a reason, or refused. A source
that is *observed* is only warned of what is not allowed; one that is *enforced* is refused it.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from booking.values.refusals import ILLEGAL_TRANSITION, Refused
from booking.values.warned import FACT_BEFORE_BOOKING, Warned
from schemas.appointments import Status


class Actor(StrEnum):
    """Who takes a step."""

    UPSTREAM = "upstream"
    DESK = "desk"
    PATIENT = "patient"
    BOOKING = "booking"


class Step(StrEnum):
    """What a step is to whoever takes it.

    A FACT tells what has happened to a visit that is not known as booked: its booking may still be on the way.
    """

    ALLOWED = "allowed"
    FACT = "fact"
    WITH_REASON = "with reason"
    REFUSED = "refused"


_MARKS = {"+": Step.ALLOWED, "!": Step.FACT, "?": Step.WITH_REASON, ".": Step.REFUSED}
_TO = ("proposed", "pending", "waitlist", "booked", "arrived", "checked-in", "fulfilled", "noshow", "cancelled")
STATUSES = (*map(Status, _TO), Status.ENTERED_IN_ERROR)
"""All of them, in the order of the way of a visit: the columns of what follows."""

NEVER_HEARD_OF = "-"

_ROWS = {
    # to:             prop pend wait book arri chec fulf nosh canc error
    Actor.UPSTREAM: """
    -                  +    +    +    +    !    !    !    !    +    +
    proposed           +    +    +    +    !    !    !    !    +    +
    pending            +    +    +    +    !    !    !    !    +    +
    waitlist           +    +    +    +    !    !    !    !    +    +
    booked             ?    ?    +    +    +    +    +    +    +    +
    arrived            .    .    .    ?    +    +    +    ?    +    +
    checked-in         .    .    .    ?    ?    +    +    ?    +    +
    fulfilled          .    .    .    ?    ?    ?    +    ?    ?    +
    noshow             ?    ?    ?    ?    +    +    +    +    ?    +
    cancelled          +    +    +    +    ?    ?    ?    ?    +    +
    entered-in-error   .    .    .    .    .    .    .    .    .    +
    """,
    Actor.DESK: """
    -                  .    .    .    .    .    .    .    .    .    .
    proposed           +    .    .    .    .    ?    .    .    +    .
    pending            .    +    .    .    .    ?    .    .    +    .
    waitlist           .    .    +    .    .    ?    .    .    +    .
    booked             .    .    .    +    .    +    .    .    +    .
    arrived            .    .    .    .    .    +    .    .    .    .
    checked-in         .    .    .    .    .    +    .    .    .    .
    fulfilled          .    .    .    .    .    .    .    .    .    .
    noshow             .    .    .    .    .    +    .    .    .    .
    cancelled          .    .    .    .    .    .    .    .    .    .
    entered-in-error   .    .    .    .    .    .    .    .    .    .
    """,
    Actor.PATIENT: """
    -                  .    .    .    .    .    .    .    .    .    .
    proposed           .    .    .    .    .    .    .    .    .    .
    pending            .    .    .    .    .    .    .    .    .    .
    waitlist           .    .    .    .    .    .    .    .    .    .
    booked             .    .    .    +    .    .    .    .    +    .
    arrived            .    .    .    .    .    .    .    .    .    .
    checked-in         .    .    .    .    .    .    .    .    .    .
    fulfilled          .    .    .    .    .    .    .    .    .    .
    noshow             .    .    .    .    .    .    .    .    .    .
    cancelled          .    .    .    .    .    .    .    .    +    .
    entered-in-error   .    .    .    .    .    .    .    .    .    .
    """,
    Actor.BOOKING: """
    -                  .    .    .    .    .    .    .    .    .    .
    proposed           +    .    .    .    .    .    .    .    .    .
    pending            .    +    .    .    .    .    .    .    .    .
    waitlist           .    .    +    .    .    .    .    .    .    .
    booked             .    .    .    +    .    .    .    +    .    .
    arrived            .    .    .    .    +    .    .    .    .    .
    checked-in         .    .    .    .    .    +    .    .    .    .
    fulfilled          .    .    .    .    .    .    +    .    .    .
    noshow             .    .    .    .    .    .    .    +    .    .
    cancelled          .    .    .    .    .    .    .    .    +    .
    entered-in-error   .    .    .    .    .    .    .    .    .    +
    """,
}  # booking itself marks no-shows, and gives visits that stay as they are another patient or another policy


def _read() -> Iterator[tuple[tuple[Actor, Status | None, Status], Step]]:
    for actor, rows in _ROWS.items():
        for name, *marks in map(str.split, rows.strip().splitlines()):
            held = None if name == NEVER_HEARD_OF else Status(name)
            yield from (((actor, held, to), _MARKS[mark]) for to, mark in zip(STATUSES, marks, strict=True))


TABLE: Mapping[tuple[Actor, Status | None, Status], Step] = dict(_read())
"""(who, from, to) → what the step is; from None: nobody ever heard of the visit. Every triple is in it."""

CAME = frozenset({Status.ARRIVED, Status.CHECKED_IN, Status.FULFILLED})
"""Statuses of a visit to which the patient came."""

NO_SHOW_STANDS_AFTER = timedelta(hours=24)
"""D19: a no-show is reversed by an arrival of the same day; what comes later needs a reason (D42)."""


class StepRules(NamedTuple):
    """How strictly the steps of a command are judged.

    Attributes:
        is_enforced: What the table lacks is refused; else it is taken with a warning.
        may_correct: Whoever sends the command may correct where steps are enforced, if he gives a reason.
    """

    is_enforced: bool = False
    may_correct: bool = False


OBSERVED = StepRules()


class Taken(NamedTuple):
    """A step that is to be judged.

    Attributes:
        held: The status it leaves; None: nobody ever heard of the visit.
        said: From where to where it goes by what upstream itself said last (0042), whatever others did since; None:
            the same.
        held_for: How long the visit has had the status it leaves, by the times of the events.
        was_booked: Upstream said once that it is booked, and asks for it again since: what happens to it then has
            overtaken no booking.
    """

    actor: Actor
    held: Status | None
    to: Status
    said: tuple[Status, Status] | None = None
    held_for: timedelta = timedelta()
    was_booked: bool = False


def step_of(actor: Actor, held: Status | None, to: Status, held_for: timedelta = timedelta()) -> Step:
    """Return what the step is.

    Args:
        held_for: As of `Taken`.
    """
    step = TABLE[actor, held, to]
    is_late = held is Status.NOSHOW and to in CAME and held_for > NO_SHOW_STANDS_AFTER
    return Step.WITH_REASON if is_late and step is Step.ALLOWED else step


FREE_FROM: Mapping[Status, frozenset[Status | None]] = {
    to: frozenset(
        held
        for held in (None, *Status)
        if TABLE[Actor.UPSTREAM, held, to] in {Step.ALLOWED, Step.FACT}
        and not (held is Status.NOSHOW and to in CAME)  # that takes a reason, in time
    )
    for to in Status
}
"""To → from where upstream may always go there, whatever the mode of its source."""


def judge(taken: Taken, reason: str | None, rules: StepRules) -> tuple[Warned, ...]:
    """Return the warnings of a step that is taken.

    At our own door the table always holds. Upstream is judged by its own last word: a step from that which it may take
    is never refused for what a patient, the desk or booking made of the visit meanwhile, and one that it may not take
    is not excused by that.

    Raises:
        Refused: ILLEGAL_TRANSITION: the rules enforce the table, and the step is not in it for this client.
    """
    step = step_of(taken.actor, taken.held, taken.to, taken.held_for)
    if step is Step.FACT:
        return () if taken.was_booked else (Warned(FACT_BEFORE_BOOKING),)
    own = step if taken.said is None else step_of(taken.actor, *taken.said, taken.held_for)
    is_own = own in {Step.ALLOWED, Step.FACT}
    if step is Step.ALLOWED and is_own:
        return ()
    if step is Step.ALLOWED and taken.said is not None:
        step, (held, to) = own, taken.said
        taken = taken._replace(held=held, to=to)
    if not is_own and (rules.is_enforced or taken.actor is not Actor.UPSTREAM):
        if step is Step.WITH_REASON and reason is not None and rules.may_correct:
            return ()
        raise Refused(ILLEGAL_TRANSITION, _why(taken, step, reason), "appointment.status")
    return () if reason is not None else (Warned(ILLEGAL_TRANSITION),)


def _why(taken: Taken, step: Step, reason: str | None) -> str:
    """Return which step is refused and the way out, in words of ours alone."""
    way = f"no step from {'nothing' if taken.held is None else taken.held.value} to {taken.to.value}"
    if step is Step.WITH_REASON and reason is None:
        return f"{way} without a reason: it is a correction, by a client that may correct"
    if step is Step.WITH_REASON:
        return f"{way} by this client: it is a correction, and the client may not correct (--may-correct)"
    if taken.actor is not Actor.UPSTREAM:
        return f"{way} at our own door"
    if taken.held is Status.ENTERED_IN_ERROR:
        return f"{way}: an error is final; send the visit under an id of its own"
    return f"{way}: the patient came to this visit; send another one under an id of its own"
