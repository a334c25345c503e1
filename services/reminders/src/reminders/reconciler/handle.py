"""The story of the reconciler: page through booking, look twice, mend what differs, and count it (design §5).

Booking is asked for the appointments of this worker's partitions alone, and a pass mends all that differs: so many at
a time that a lost table neither fills the memory nor takes days.

In a healthy system it finds nothing. A difference counts when it was seen twice, `SETTLED_AFTER` apart by the
clock of the machine too, so that neither lag nor a stepped domain clock looks like one. What has no row and is too
new to compare is on its way; in a partition that began anew its event may have been taken before, and does not come
again: there it is looked at twice like what differs.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched
from typing import Protocol
from uuid import UUID

from reminders.reconciler.domain import BookingState, Difference, TimersState, difference, unwanted

AT_ONCE = 500
"""Appointments asked for, or mended, at once."""

BEHIND = 10_000
"""With so many records still to take the timers are not compared: they will change by themselves."""

MOST = 50_000
"""Appointments that differ in hand at once, some 20 MB. When there are so many, they are looked at again and mended
before the reading goes on."""

LARGEST_SHARE, ALWAYS_ALLOWED = 0.1, 100
"""More unknown appointments than this share of those that wait, and than this number, are nobody's timers gone wrong
but a booking that lost its memory: nothing of it is cancelled by itself."""


class Booking(Protocol):
    """Booking's read API. Each call raises Unavailable while booking cannot answer."""

    def ahead(self, partition: int) -> AsyncIterator[Sequence[BookingState]]:
        """Give the appointments ahead whose events are in a partition, page by page."""

    async def states(self, appointment_ids: Sequence[UUID]) -> dict[UUID, BookingState]:
        """Return the state of these appointments; without those that booking does not know."""

    async def snapshots(self, appointment_ids: Sequence[UUID]) -> dict[UUID, bytes]:
        """Return the newest event of each of these appointments, as bytes of the contract `Appointment`."""


class Timers(Protocol):
    """The timers of this worker."""

    def partitions(self) -> Sequence[int]:
        """Return the partitions that are live here."""

    def owns(self, appointment_id: UUID) -> bool:
        """Say whether the appointment's partition is live here."""

    def held(self, appointment_id: UUID) -> TimersState | None:
        """Return what is held of an appointment."""

    def waiting(self) -> Iterator[Sequence[UUID]]:
        """Give the appointments with a timer still to fire, partition by partition."""

    async def behind(self) -> int:
        """Return how many records are still to be taken."""

    def begun_anew(self) -> Mapping[int, int]:
        """Return the live partitions that began without rows and were not planned since, and where each began."""
        ...

    async def note_planned(self, begun: Mapping[int, int]) -> None:
        """Note that what is ahead of these was planned: nobody need do it again."""
        ...

    async def offer(self, snapshots: Sequence[bytes]) -> Set[UUID]:
        """Plan these as if their events had come, one of the version held anew; return those that were not taken."""
        ...

    async def forget(self, appointment_ids: Sequence[UUID]) -> Set[UUID]:
        """Void the timers of appointments that booking does not know; return those that were not taken."""
        ...


@dataclass(slots=True)
class Found:
    """What one pass found and mended.

    Attributes:
        mended: How many there were of each difference; all of them are mended.
        left: Why nothing, or not everything, was done; None when all was.
        behind: Appointments of which the timers hold a version that booking does not know; nothing is mended.
        unplannable: Appointments ahead that cannot be planned (their events are dead letters): no difference to mend.
        too_new: Appointments without a row in partitions that began anew, at the second look still too new to compare.
        untaken: Appointments that differ and were not taken to be mended: their partition went, or nothing is taken.
    """

    compared: int = 0
    mended: Counter[Difference] = field(default_factory=Counter)
    left: str | None = None
    behind: int = 0
    unplannable: int = 0
    too_new: int = 0
    untaken: int = 0


@dataclass(slots=True)
class Lost:
    """Appointments with timers that booking does not know."""

    ids: list[UUID] = field(default_factory=list)
    count: int = 0
    waiting: int = 0

    @property
    def memory(self) -> bool:
        """Whether it is booking that lost something."""
        return self.count > max(ALWAYS_ALLOWED, LARGEST_SHARE * self.waiting)

    @property
    def left(self) -> str | None:
        """Why not all of them are cancelled, if so."""
        if self.memory:
            return f"booking does not know {self.count} of {self.waiting} appointments with timers: none cancelled"
        if self.count > len(self.ids):
            return f"booking does not know {self.count}: {len(self.ids)} cancelled, the rest in the next pass"
        return None


class Reconciler:
    """Compares and mends.

    Args:
        settle: Waits `SETTLED_AFTER` of machine time between the two looks.
    """

    def __init__(
        self,
        booking: Booking,
        timers: Timers,
        now: Callable[[], datetime],
        settle: Callable[[], Awaitable[None]],
        most: int = MOST,
    ) -> None:
        self._booking = booking
        self._timers = timers
        self._now = now
        self._settle = settle
        self._most = most
        self._unplannable: dict[UUID, int] = {}

    async def reconcile(self) -> Found:
        """Make one pass.

        Raises:
            Unavailable: Booking cannot answer now. What was mended stays so; the next pass finds the rest.
        """
        found = Found()
        if await self._timers.behind() > BEHIND:
            found.left = "the timers are behind: not compared"
            return found
        begun = self._timers.begun_anew()
        suspects: dict[UUID, BookingState | None] = {}
        lost = Lost()
        async for some in self._differing(begun, found, lost):
            suspects.update(some)
            if len(suspects) >= self._most:
                await self._look_again(suspects, found)
                suspects.clear()
        if not lost.memory:
            suspects.update(dict.fromkeys(lost.ids))
        await self._look_again(suspects, found)
        found.left = _left(found, lost)
        found.unplannable = len(self._unplannable)
        if found.left is None:
            await self._timers.note_planned(begun)
        return found

    async def _differing(
        self, begun: Collection[int], found: Found, lost: Lost
    ) -> AsyncIterator[Mapping[UUID, BookingState]]:
        """Give what differs and booking knows, with its state there; note what booking does not know."""
        tried, self._unplannable = self._unplannable, {}
        for partition in self._timers.partitions():
            async for page in self._booking.ahead(partition):
                for states in batched(page, AT_ONCE):
                    own = [booked for booked in states if self._timers.owns(booked.appointment_id)]
                    found.compared += len(own)
                    yield dict(self._ahead(own, tried, anew=partition in begun))
                    await asyncio.sleep(0)  # some milliseconds' work: the timers' turn
        for waiting in self._timers.waiting():
            found.compared += len(waiting)
            for ids in batched(waiting, AT_ONCE):
                yield dict(await self._waiting(ids, lost))
            await asyncio.sleep(0)

    def _ahead(
        self, own: Sequence[BookingState], tried: Mapping[UUID, int], *, anew: bool
    ) -> Iterator[tuple[UUID, BookingState]]:
        """Yield what differs among what booking has ahead, but for what was tried in this version already.

        Args:
            anew: Their partition began anew: what has no row differs, however new it is.
        """
        now = self._now()
        for booked in own:
            one = booked.appointment_id
            row = self._timers.held(one)
            if difference(booked, row, now) is None and not (anew and row is None):
                continue
            if tried.get(one) == booked.version:
                self._unplannable[one] = booked.version
            else:
                yield one, booked

    async def _waiting(self, ids: Sequence[UUID], lost: Lost) -> list[tuple[UUID, BookingState]]:
        """Return what should not wait among what waits here; note what booking does not know."""
        states = await self._booking.states(ids)
        wrong = [one for one in ids if unwanted(states.get(one), self._timers.held(one), self._now()) is not None]
        unknown = [one for one in wrong if one not in states]
        lost.waiting += len(ids)
        lost.count += len(unknown)
        lost.ids += unknown[: self._most - len(lost.ids)]
        return [(one, states[one]) for one in wrong if one in states]

    async def _look_again(self, suspects: Mapping[UUID, BookingState | None], found: Found) -> None:
        """Wait, look again at what differed, and mend what still does."""
        if suspects:
            await self._settle()
        for some in batched(suspects.items(), AT_ONCE):
            await self._mend(dict(some), found)

    async def _mend(self, suspects: dict[UUID, BookingState | None], found: Found) -> None:
        """Look again at what differed; mend what is still as it was."""
        states = await self._booking.states(list(suspects))
        still: dict[UUID, Difference] = {}
        for appointment_id, before in suspects.items():
            booked = states.get(appointment_id)
            if not self._timers.owns(appointment_id) or booked != before:
                continue  # it moved on by itself
            held, now = self._timers.held(appointment_id), self._now()
            seen = unwanted(booked, held, now) if booked is None else difference(booked, held, now)
            if seen is not None:
                still[appointment_id] = seen
            elif booked is not None and held is None:
                found.too_new += 1
        found.behind += sum(seen is Difference.BEHIND for seen in still.values())
        still = {one: seen for one, seen in still.items() if seen is not Difference.BEHIND}
        known = [appointment_id for appointment_id in still if appointment_id in states]
        unknown = [appointment_id for appointment_id in still if appointment_id not in states]
        untaken: set[UUID] = set()
        if known:
            untaken |= await self._timers.offer(list((await self._booking.snapshots(known)).values()))
        if unknown:
            untaken |= await self._timers.forget(unknown)
        found.untaken += len(untaken)
        still = {one: seen for one, seen in still.items() if one not in untaken}
        missing = [one for one, seen in still.items() if seen is Difference.MISSING]
        refused = {one: states[one].version for one in missing if self._refused(one)}
        self._unplannable.update(refused)  # until booking has another version of it
        found.mended.update(seen for one, seen in still.items() if one not in refused)

    def _refused(self, appointment_id: UUID) -> bool:
        return self._timers.owns(appointment_id) and self._timers.held(appointment_id) is None


def _left(found: Found, lost: Lost) -> str | None:
    """Say what this pass did not do, if anything."""
    too_new = f"{found.too_new} without timers are too new to compare" if found.too_new else None
    untaken = f"{found.untaken} to mend were not taken" if found.untaken else None
    return "; ".join(filter(None, (lost.left, too_new, untaken))) or None
