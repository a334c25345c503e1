"""The page docs/booking/transitions.md, as booking's state table tells it: a drawing, and a table for each actor."""

from collections.abc import Iterator
from itertools import groupby

from booking.appointments.domain.transitions import NO_SHOW_STANDS_AFTER, STATUSES, TABLE, Actor, Step
from schemas.appointments import Status

HEAD = """# The states of a visit

<!-- made by `make pages` from booking's appointments/domain/transitions.py: what is to be otherwise is changed there -->

Every change of a visit's status is a step, and the state table says of each whose it is (R33, D42,
[0052](../decisions/0052-steps-are-enforced-by-source.md)). What becomes of a step that is not simply allowed depends on the
source's mode, which is `observe` until `PUT /v1/sources/{source}/transitions` says `enforce`
([how](events.md#steps-observed-or-enforced)).

| the step is | in `observe` | in `enforce` |
|---|---|---|
| allowed | taken | taken |
| a **fact**: what happened to a visit that is not known as booked | taken, warning `FACT_BEFORE_BOOKING`, on the work list | the same |
| a correction, **with reason** | taken; without a reason with the warning `ILLEGAL_TRANSITION`, on the work list | with a reason, from a client that may correct, taken; else 409 `ILLEGAL_TRANSITION` |
| refused | as a correction | 409 `ILLEGAL_TRANSITION` |

"""  # noqa: E501  # rows of a table
DRAWING = """## What upstream may say

Drawn are the steps that are taken without a reason. A box of several statuses has all steps between them, and each may
be said again; a **fact** is taken however it came.

"""
HOURS = NO_SHOW_STANDS_AFTER.total_seconds() / 3600
NO_SHOW = f"A no-show is reversed within {HOURS:.0f} h of it; later that takes a reason (D19).\n"
MEANT = {
    Actor.UPSTREAM: "An event, by whatever door.",
    Actor.DESK: "A person at our own door: cancel, move, check in. There the table always holds.",
    Actor.PATIENT: "An answer to a message: what is not his is `stale`.",
    Actor.BOOKING: "What booking finds itself: that nobody came. All else that it changes leaves the status.",
}
CELLS = {Step.ALLOWED: "yes", Step.FACT: "fact", Step.WITH_REASON: "reason", Step.REFUSED: "no"}
START = "[*]"

type Box = tuple[Status, ...]


def boxes() -> list[Box]:
    """Return the statuses, those together that are one to all others, in the order of a visit's way."""

    def seen(status: Status) -> tuple[Step, ...]:
        others = (None, *(one for one in STATUSES if one is not status))
        from_here = (TABLE[Actor.UPSTREAM, status, to] for to in STATUSES)
        return (*from_here, *(TABLE[Actor.UPSTREAM, one, status] for one in others))

    return [tuple(together) for _, together in groupby(STATUSES, seen)]


def arrows() -> Iterator[str]:
    """Yield the lines of the drawing."""
    names = {status: box[0].value.replace("-", "_") for box in boxes() for status in box}
    for box in boxes():
        yield f'state "{", ".join(box)}" as {names[box[0]]}'
    for held in (None, *(box[0] for box in boxes())):
        for box in boxes():
            to = box[-1]  # of a box of several this is another one than the first
            step = TABLE[Actor.UPSTREAM, held, to]
            if held is not to and step in {Step.ALLOWED, Step.FACT}:
                told = ": fact" if step is Step.FACT else ""
                yield f"{START if held is None else names[held]} --> {names[to]}{told}"


def table_of(actor: Actor) -> str:
    """Return what each step is to one actor."""
    head = "| from \\ to | " + " | ".join(STATUSES) + " |\n|" + "---|" * (len(STATUSES) + 1) + "\n"
    rows = (
        f"| {'never heard of' if held is None else held} | "
        + " | ".join(CELLS[TABLE[actor, held, to]] for to in STATUSES)
        + " |\n"
        for held in (None, *STATUSES)
    )
    return head + "".join(rows)


def page() -> str:
    """Return docs/booking/transitions.md."""
    drawn = "".join(f"    {line}\n" for line in arrows())
    text = HEAD + DRAWING + f"```mermaid\nstateDiagram-v2\n{drawn}```\n\n{NO_SHOW}"
    for actor, meant in MEANT.items():
        text += f"\n## By {actor}\n\n{meant}\n\n{table_of(actor)}"
    return text
