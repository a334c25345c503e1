"""`handle.FanoutStore` over the batch's own transaction."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from chassis.database import Connection
from chassis.outbox import enqueue
from notifier.adapters import columns, sql
from notifier.adapters.gate import read_gate, read_preferences
from notifier.adapters.notice import notice_of
from notifier.adapters.outgoing import notification_changed
from notifier.domain.ledger import Notification
from notifier.domain.transitions import Held, VisitReading
from notifier.domain.visits import Preferences, Visit
from notifier.handle.fanout import InboxEntry
from schemas.appointments import Status


class PostgresFanoutStore:
    """See `handle.fanout.FanoutStore`.

    Args:
        connection: In a READ COMMITTED transaction.
        link: Where an appointment is opened, with `{appointment_id}` in it.
    """

    def __init__(self, connection: Connection, link: str) -> None:
        self._connection = connection
        self._link = link

    async def held(self, appointment_ids: Collection[str]) -> Mapping[str, Held]:
        """See `handle.fanout.FanoutStore`."""
        rows = await self._connection.fetch(sql.HELD, list(appointment_ids))
        return {row[0]: Held(row[1], Status(row[2]), row[3]) for row in rows}

    async def keep(self, newest: Collection[VisitReading]) -> None:
        """See `handle.fanout.FanoutStore`."""
        if newest:
            await self._connection.execute(
                sql.KEEP,
                [visit.appointment_id for visit in newest],
                [visit.version for visit in newest],
                [visit.status for visit in newest],
                [visit.schedule_gen for visit in newest],
                [visit.starts_at for visit in newest],
                [visit.provider_id for visit in newest],
            )

    async def known(self, notification_ids: Collection[UUID]) -> Collection[UUID]:
        """See `handle.fanout.FanoutStore`."""
        rows = await self._connection.fetch(sql.KNOWN, list(notification_ids))
        return {row[0] for row in rows}

    async def gate(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, Visit]:
        """See `handle.fanout.FanoutStore`."""
        return await read_gate(self._connection, appointment_ids)

    async def preferences(self, patient_ids: Collection[UUID]) -> Mapping[UUID, Preferences]:
        """See `handle.fanout.FanoutStore`."""
        return await read_preferences(self._connection, patient_ids)

    async def insert(self, notifications: Sequence[Notification], now: datetime) -> None:
        """See `handle.fanout.FanoutStore`."""
        await columns.insert(self._connection, notifications, now)

    async def deliver_in_app(self, entries: Sequence[InboxEntry], now: datetime) -> None:
        """See `handle.fanout.FanoutStore`."""
        if not entries:
            return
        notices = [notice_of(entry, self._link) for entry in entries]
        providers = [notice.provider_id for notice in notices]
        known = await self._connection.fetch(sql.LOCK_PROVIDERS, providers)
        if len(known) < len(set(providers)):  # the first notice of one of them
            await self._connection.execute(sql.ADD_PROVIDERS, providers)
            await self._connection.fetch(sql.LOCK_PROVIDERS, providers)
        await self._connection.execute(
            sql.DELIVER_IN_APP,
            providers,
            [notice.notification_id for notice in notices],
            [notice.appointment_id for notice in notices],
            [notice.title for notice in notices],
            [notice.body for notice in notices],
            [notice.patient_name for notice in notices],
            [notice.starts_at for notice in notices],
            [notice.zone for notice in notices],
            [notice.service_type for notice in notices],
            [notice.link for notice in notices],
            now,
        )

    async def publish(self, notifications: Sequence[Notification], now: datetime) -> None:
        """See `handle.fanout.FanoutStore`."""
        await enqueue(self._connection, [notification_changed(one, now) for one in notifications])
