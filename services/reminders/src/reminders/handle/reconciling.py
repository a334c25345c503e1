"""The story of the reconciler: page through booking, look twice, mend what differs, and count it (design §5).

In a healthy system it finds nothing. A difference counts when it was seen twice, `SETTLED_AFTER` apart by the
clock of the machine too, so that neither lag nor a stepped domain clock looks like one.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched, islice
from typing import Protocol
from uuid import UUID

from reminders.domain.reconciling import Difference, Held, Stand, difference, unwanted

AT_ONCE = 500
"""Appointments asked for, or mended, at once."""

BEHIND = 10_000
"""With so many records still to take the timers are not compared: they will change by themselves."""

MOST = 100_000
"""Appointments mended in one pass: the worker has its own work too."""

LARGEST_SHARE, ALWAYS_ALLOWED = 0.1, 100
"""More unknown appointments than this share of those that wait, and than this number, are nobody's timers gone wrong
but a booking that lost its memory: nothing of it is cancelled by itself."""


class Booking(Protocol):
    """Booking's read API. Each call raises Unavailable while booking cannot answer."""

    def ahead(self) -> AsyncIterator[Sequence[Stand]]:
        """Give the appointments ahead, page by page."""
        ...

    async def states(self, appointment_ids: Sequence[UUID]) -> dict[UUID, Stand]:
        """Return where these appointments stand; without those that booking does not know."""
        ...

    async def snapshots(self, appointment_ids: Sequence[UUID]) -> dict[UUID, bytes]:
        """Return the newest event of each of these appointments, as bytes of the contract `Appointment`."""
        ...


class Timers(Protocol):
    """The timers of this worker."""

    def owns(self, appointment_id: UUID) -> bool:
        """Say whether the appointment's partition is live here."""
        ...

    def held(self, appointment_id: UUID) -> Held | None:
        """Return what is held of an appointment."""
        ...

    def waiting(self) -> Iterator[Sequence[UUID]]:
        """Give the appointments with a timer still to fire, partition by partition."""
        ...

    async def behind(self) -> int:
        """Return how many records are still to be taken."""
        ...

    async def offer(self, snapshots: Sequence[bytes]) -> None:
        """Plan these as if their events had come; one of the version held is planned anew."""
        ...

    async def forget(self, appointment_ids: Sequence[UUID]) -> None:
        """Void the timers of appointments that booking does not know."""
        ...


@dataclass(slots=True)
class Found:
    """What one pass found and mended.

    Attributes:
        compared: Appointments looked at.
        mended: How many there were of each difference; all of them are mended.
        left: Why nothing, or not everything, was done; None when all was.
        unplannable: Appointments ahead that cannot be planned (their events are dead letters): no difference to mend.
    """

    compared: int = 0
    mended: Counter[Difference] = field(default_factory=Counter)
    left: str | None = None
    unplannable: int = 0


class Reconciler:
    """Compares and mends.

    Args:
        booking: What booking says.
        timers: What is held here.
        now: Domain time.
        settle: Waits `SETTLED_AFTER` of machine time between the two looks.
    """

    def __init__(
        self, booking: Booking, timers: Timers, now: Callable[[], datetime], settle: Callable[[], Awaitable[None]]
    ) -> None:
        self._booking = booking
        self._timers = timers
        self._now = now
        self._settle = settle
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
        suspects = await self._ahead(found)
        waiting = await self._waiting(suspects)
        found.compared += waiting
        lost = [appointment_id for appointment_id, stand in suspects.items() if stand is None]
        if len(lost) > max(ALWAYS_ALLOWED, LARGEST_SHARE * waiting):
            found.left = f"booking does not know {len(lost)} of {waiting} appointments with timers: none cancelled"
            suspects = {appointment_id: stand for appointment_id, stand in suspects.items() if stand is not None}
        if suspects:
            await self._settle()
        if len(suspects) > MOST:
            found.left = f"{len(suspects)} differ: {MOST} mended, the rest in the next pass"
        for some in batched(islice(suspects, MOST), AT_ONCE):
            await self._mend({appointment_id: suspects[appointment_id] for appointment_id in some}, found)
        return found

    async def _ahead(self, found: Found) -> dict[UUID, Stand | None]:
        """Look at what booking has ahead; return what differs, and where it stands."""
        suspects: dict[UUID, Stand | None] = {}
        tried, self._unplannable = self._unplannable, {}
        async for page in self._booking.ahead():
            for some in batched(page, AT_ONCE):
                now = self._now()
                own = [stand for stand in some if self._timers.owns(stand.appointment_id)]
                for stand in own:
                    if difference(stand, self._timers.held(stand.appointment_id), now) is None:
                        continue
                    if tried.get(stand.appointment_id) == stand.version:
                        self._unplannable[stand.appointment_id] = stand.version
                    else:
                        suspects[stand.appointment_id] = stand
                found.compared += len(own)
                await asyncio.sleep(0)  # some milliseconds' work: the timers' turn
        found.unplannable += len(self._unplannable)
        return suspects

    async def _waiting(self, suspects: dict[UUID, Stand | None]) -> int:
        """Look at what waits here, and add what of it should not; return how many there are."""
        count = 0
        for partition in self._timers.waiting():
            count += len(partition)
            for some in batched(partition, AT_ONCE):
                stands = await self._booking.states(some)
                for appointment_id in some:
                    stand = stands.get(appointment_id)
                    if unwanted(stand, self._timers.held(appointment_id), self._now()) is not None:
                        suspects[appointment_id] = stand
        return count

    async def _mend(self, suspects: dict[UUID, Stand | None], found: Found) -> None:
        """Look again at what differed; mend what is still as it was."""
        stands = await self._booking.states(list(suspects))
        still: dict[UUID, Difference] = {}
        for appointment_id, before in suspects.items():
            stand = stands.get(appointment_id)
            if not self._timers.owns(appointment_id) or stand != before:
                continue  # it moved on by itself
            held, now = self._timers.held(appointment_id), self._now()
            seen = unwanted(stand, held, now) if stand is None else difference(stand, held, now)
            if seen is not None:
                still[appointment_id] = seen
        known = [appointment_id for appointment_id in still if appointment_id in stands]
        unknown = [appointment_id for appointment_id in still if appointment_id not in stands]
        if known:
            await self._timers.offer(list((await self._booking.snapshots(known)).values()))
        if unknown:
            await self._timers.forget(unknown)
        refused = {one: stands[one].version for one in known if still[one] is Difference.MISSING and self._refused(one)}
        self._unplannable.update(refused)  # until booking has another version of it
        found.unplannable += len(refused)
        found.mended.update(seen for one, seen in still.items() if one not in refused)

    def _refused(self, appointment_id: UUID) -> bool:
        return self._timers.owns(appointment_id) and self._timers.held(appointment_id) is None
