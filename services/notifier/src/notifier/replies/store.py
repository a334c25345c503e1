"""`replies.handle.Replies` in PostgreSQL."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from chassis.api.page_cursor import Cursor, next_place
from chassis.outbox.writer import enqueue
from chassis.postgres.database import Connection, Pool
from notifier.gate.domain.visit import Visit, mobile_of
from notifier.gate.store import read_gate
from notifier.opt_outs import whatsapp_users
from notifier.opt_outs.store import OF_A_NUMBER, Lifted, found_by, lift, stop
from notifier.replies import statements as sql
from notifier.replies.bodies import ReplyPage, ReplyView
from notifier.replies.domain.reading import LONGEST_TEXT
from notifier.replies.domain.visits import Messaged
from notifier.replies.handle import Incoming, Reply
from notifier.replies.messages import patient_replied
from notifier.values.addresses import Address, Peppers
from notifier.values.kinds import Category
from schemas.notifications import Channel


class PostgresReplies:
    """See `replies.handle.Replies`."""

    def __init__(self, pool: Pool, peppers: Peppers, lifted: Lifted) -> None:
        self._pool, self._peppers, self._lifted = pool, peppers, lifted

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["PostgresReplyTransaction"]:
        async with self._pool.transaction(isolation="read_committed") as connection:
            yield PostgresReplyTransaction(connection, self._peppers, self._lifted)


class PostgresReplyTransaction:
    """See `replies.handle.ReplyTransaction`."""

    def __init__(self, connection: Connection, peppers: Peppers, lifted: Lifted) -> None:
        self._connection, self._peppers, self._lifted = connection, peppers, lifted

    async def recipient(self, incoming: Incoming) -> bytes | None:
        asked = incoming.in_reply_to, incoming.channel.value, incoming.account
        found: bytes | None = await self._connection.fetchval(sql.RECIPIENT, *asked) if incoming.in_reply_to else None
        return found

    async def identify(
        self, address: Address | None, users: Sequence[bytes], now: datetime, written_to: bytes | None = None
    ) -> tuple[Address, bool]:
        if users:
            await whatsapp_users.lock(self._connection, users)
        if address is None:
            numbers = await whatsapp_users.numbers_of(self._connection, users)
            found, known = Address((*numbers, *users)), bool(numbers) or written_to is not None
        else:
            if users:
                await whatsapp_users.link(self._connection, users, address.key, now)
            found, known = Address((*address.keys, *users), address.plain), True
        if written_to is not None and written_to not in found.keys:
            found = Address((written_to, *found.keys), found.plain)
        await self._connection.execute(sql.LOCK_NUMBER, found.key)
        return found, known

    async def is_new(self, reply_id: UUID) -> bool:
        await self._connection.execute(sql.LOCK_REPLY, str(reply_id))
        return not await self._connection.fetchval(sql.KNOWN_REPLY, reply_id)

    async def opt_out(self, address: Address, cause: str, now: datetime) -> None:
        await stop(self._connection, address, OF_A_NUMBER, tuple(Category), cause, now)

    async def stopped_later(self, address: Address, sent_at: datetime) -> bool:
        return bool(await self._connection.fetchval(sql.STOPPED_LATER, *found_by(address), sent_at, OF_A_NUMBER))

    async def opt_in(self, address: Address, cause: str, now: datetime) -> None:
        if await lift(self._connection, address, OF_A_NUMBER, tuple(Category), cause, now):
            await self._lifted(self._connection, address, now)

    async def messaged(self, address: Address, channel: Channel, account: str | None = None) -> Sequence[Messaged]:
        told = await _told(self._connection, address, channel, account)
        visits = await read_gate(self._connection, told.keys()) if told else {}
        clinics = sorted({visit.clinic_id for visit in visits.values()})
        reading = {row[0] for row in await self._connection.fetch(sql.CLINICS_THAT_READ, clinics)} if clinics else set()
        return [
            Messaged(
                appointment_id=visit.appointment_id,
                patient_id=visit.patient_id,
                clinic_id=visit.clinic_id,
                status=visit.status,
                starts_at=visit.starts_at,
                told_gen=told[visit.appointment_id],
                schedule_gen=visit.schedule_gen,
                reachable=not set(address.keys).isdisjoint(self._peppers.of(mobile_of(visit) or "").keys),
                replies=visit.clinic_id in reading,
                codes=self._peppers.codes(visit.appointment_id, visit.schedule_gen),
                clinic_name="" if visit.clinic_sensitive else visit.clinic_name,
                clinic_phone="" if visit.clinic_sensitive else visit.clinic_details.phone,
                languages=(*filter(None, [visit.language]), *visit.clinic_languages),
            )
            for visit in visits.values()
        ]

    async def wrong_codes(self, address: Address, since: datetime) -> int:
        return int(await self._connection.fetchval(sql.WRONG_CODES, *found_by(address), since))

    async def answered(self, address: Address, since: datetime) -> bool:
        return bool(await self._connection.fetchval(sql.ANSWERED, *found_by(address), since))

    async def order(self, reply: Reply, now: datetime) -> None:
        await enqueue(self._connection, [patient_replied(reply, now)])

    async def keep(self, reply: Reply, now: datetime) -> None:
        incoming = reply.incoming
        await self._connection.execute(
            sql.KEEP_REPLY,
            incoming.reply_id,
            incoming.channel.value,
            reply.address.key,
            incoming.sender,
            incoming.text.replace("\0", "")[:LONGEST_TEXT],
            reply.answer.meaning.value,
            reply.verdict,
            reply.why.value if reply.why else None,
            reply.visit.appointment_id if reply.visit else None,
            reply.visit.clinic_id if reply.visit else reply.clinics[0] if len(reply.clinics) == 1 else None,
            incoming.sent_at,
            now,
            list(reply.clinics),
            reply.address.plain,
            incoming.user_ids[0] if incoming.user_ids else None,
            reply.said_back,
        )


async def written_about(connection: Connection, address: Address, channel: Channel) -> Sequence[Visit]:
    """Return the visits that an address was written to about on a channel, as the gate has them now; newest first.

    Args:
        connection: In a READ COMMITTED transaction.
    """
    told = await _told(connection, address, channel, None)
    visits = await read_gate(connection, told.keys()) if told else {}
    return [visits[one] for one in told if one in visits]


async def _told(connection: Connection, address: Address, channel: Channel, account: str | None) -> Mapping[UUID, int]:
    """Return visit → the generation of its schedule that this address was last told of; the visit last booked first."""
    rows = await connection.fetch(sql.MESSAGED, *found_by(address), channel.value, account)
    return {row["appointment_id"]: row["schedule_gen"] for row in rows}


async def page(pool: Pool, after: str | None, limit: int, *, open: bool) -> ReplyPage:
    """Return a page of the answers; `open`: of those that staff must look at."""
    place = Cursor.read(after) if after else None
    rows = await pool.fetch(sql.REPLIES, open, place and place.at, place and place.id, limit)
    items = [ReplyView.model_validate(dict(row)) for row in rows]
    following = next_place(items, limit, lambda last: Cursor(last.received_at, last.reply_id).text())
    return ReplyPage(items=items, next=following)


async def done_by(pool: Pool, reply_id: UUID, by: str, now: datetime) -> ReplyView | None:
    """Note who has seen to an answer, if nobody has yet, and return it; None: there is none of this id."""
    row = await pool.fetchrow(sql.DONE_REPLY, reply_id, now, by)
    return None if row is None else ReplyView.model_validate(dict(row))
