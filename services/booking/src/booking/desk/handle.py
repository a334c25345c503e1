"""What booking does about many visits at once. Choosing them is one transaction, carrying out each page another (0049).

What is chosen is written down first, under the client's key: whoever asks again, after an answer that was lost or a
crash at any point, carries out the same visits, each of which has a key of its own and changes once.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from booking.appointments.domain.batch import EventAnswer
from booking.appointments.domain.command import BookAppointment
from booking.desk.domain import Order, Visit, Wish, command_for
from booking.values.refusals import UNKNOWN_APPOINTMENT, Refused


class Orders(Protocol):
    """The orders of clients as one transaction sees them."""

    async def kept(self, wish: Wish) -> tuple[bytes, Order] | None:
        """Return the hash of the body and the order that the client's key stands for; None: it is new."""

    async def keep(self, wish: Wish, order: Order) -> None:
        """Write an order down.

        Raises:
            Unavailable: KEY_RACE: another transaction took the key meanwhile; the same again sees it.
        """


class Done(NamedTuple):
    """What became of one visit of an order.

    Attributes:
        visit: As it was before; None: nobody knows it, or it is not the client's.
        starts_at: When it begins by a move.
    """

    appointment_id: UUID
    answer: EventAnswer
    visit: Visit | None = None
    starts_at: datetime | None = None


async def order_for(orders: Orders, wish: Wish, chosen: Order) -> Order:
    """Return the order that was kept for the client's key, else keep this one.

    Raises:
        Refused: EVENT_ID_CONFLICT: the key stands for another body.
    """
    found = await orders.kept(wish)
    if found is None:
        await orders.keep(wish, chosen)
        return chosen
    body, order = found
    if body != wish.body_sha256:
        raise Refused("EVENT_ID_CONFLICT", "this id was used for another body; give each order its own", "event_id")
    return order


def commands_of(
    wish: Wish, order: Order, page: Sequence[UUID], visits: Mapping[UUID, Visit]
) -> list[BookAppointment | Refused]:
    """Return the command for each visit of a page, or why there is none; the client sees `visits` alone."""
    return [_command(wish, visits.get(key), order.starts[key]) for key in page]


def _command(wish: Wish, visit: Visit | None, seen: datetime | None) -> BookAppointment | Refused:
    if visit is None:
        return Refused(UNKNOWN_APPOINTMENT, "no such appointment, or none of this client")
    try:
        return command_for(wish, visit, seen)
    except Refused as refusal:
        return refusal


def done(
    page: Sequence[UUID],
    visits: Mapping[UUID, Visit],
    commands: Sequence[BookAppointment | Refused],
    answers: Sequence[EventAnswer],
) -> list[Done]:
    """Return what became of each visit of a page."""
    return [
        Done(key, answer, visits.get(key), _start(command))
        for key, command, answer in zip(page, commands, answers, strict=True)
    ]


def _start(command: BookAppointment | Refused) -> datetime | None:
    return (
        command.starts_at if isinstance(command, BookAppointment) and isinstance(command.starts_at, datetime) else None
    )
