"""Fan-out: somebody came for want of whom a message could not go, or a bar was lifted; what waited is told.

What is still to be said is found anew: news of a visit is what is so, less what he was told, and a reminder is of the
schedule that stands. What is over, or known to him by now, stays as it is.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chassis.delivery.consumer import Applied
from notifier.fanout.domain.news import awakened, missing
from notifier.fanout.handle.appointments import FanoutStore, bring_up_to_date
from notifier.fanout.handle.entry import enter
from notifier.gate.domain.modes import SendingMode
from notifier.ledger.domain.notification import Notification
from notifier.values.addresses import Address
from notifier.values.kinds import LEVEL_KINDS


class PeopleStore(FanoutStore, Protocol):
    """As `FanoutStore`, and who waits for what. Every method is set-based."""

    async def concerned(self, people: Collection[str], now: datetime) -> Collection[str]:
        """Return those of these patients and providers to whom a message waits, or about whom somebody decides now."""

    async def waiting_visits(self, people: Collection[str], now: datetime) -> Collection[UUID]:
        """Return the visits of which news waits as in `waiting`, without a lock."""

    async def waiting(self, people: Collection[str], now: datetime) -> Sequence[Notification]:
        """Lock and return what waits for want of these, or for a bar of theirs, and is not too late.

        A message that names nobody is to whose visit it is. With it comes, locked in the same order, what
        `open_news` gives of the visits of which news waits.
        """

    async def stopped_by(self, address: Address, now: datetime) -> Collection[str]:
        """Return the patients at this address to whom a message waits because of an opt-out."""


async def on_people(store: PeopleStore, people: Sequence[str], sending: SendingMode, now: datetime) -> Applied:
    """Tell what could not be told for want of these, of an address of theirs, or of leave to write to them (D58).

    A transaction that found them missing is waited for: it may be about to write that down. Of all others nothing is
    asked but whether something waits for them, so that a topic read from its beginning costs little. Turns are taken
    at once and before any row is locked, here as in `bring_up_to_date`: no two transactions wait for each other.
    """
    if people and (concerned := await store.concerned(people, now)):
        about = await store.waiting_visits(concerned, now)
        await store.take_turns({*concerned, *missing((await store.gate(about)).values())})
        held = await store.waiting(concerned, now)
        timed = [one for one in held if one.kind not in LEVEL_KINDS]
        before = {one.notification_id: one for one in timed}
        await enter(store, [awakened(one, now) for one in timed], sending, now, before=before)
        if visits := {one.appointment_id for one in held if one.kind in LEVEL_KINDS and one.appointment_id}:
            await bring_up_to_date(store, visits, {}, sending, now)
    return Applied()


async def on_lifted(store: PeopleStore, address: Address, sending: SendingMode, now: datetime) -> None:
    """Tell what was not told because messages to this address were stopped, and are not any more (D36, D58)."""
    await on_people(store, sorted(await store.stopped_by(address, now)), sending, now)
