"""kill -9 of the listener while HAPI's client sends, and what is in the database afterwards."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import httpx2

from chassis.postgres.database import Pool, create_pool
from stack.supervisor import System
from tests.support.booking.mllp import Sent, booked, hapi
from tests.support.waiting import until

_HELD = """
SELECT l.source_id, a.version, (SELECT count(*) FROM appointment_history h WHERE h.appointment_id = a.appointment_id)
FROM appointment_alias l JOIN appointment a USING (appointment_id) WHERE l.source_id LIKE 'filler|%'
"""


class Outcome(NamedTuple):
    """What became of messages that were sent while the listener was killed.

    Attributes:
        again: How often one was sent again, as its acknowledgement did not come.
        lost: Messages that were acknowledged and are not there.
        doubled: Visits that have more versions than messages, or are there twice.
        waiting: Events that no topic has yet.
    """

    messages: int
    kills: int
    again: int
    codes: dict[str, int]
    lost: int
    doubled: int
    waiting: int


@asynccontextmanager
async def database(system: System) -> AsyncIterator[Pool]:
    """Give connections with booking's own role, for the block."""
    pool = await create_pool(system.environment("booking")["BOOKING_DATABASE_URL"], "booking")
    try:
        yield pool
    finally:
        await pool.close()


async def enter_clinic(system: System) -> None:
    """Enter the clinic EYE, as messages name it."""
    clinic = {"name": "Eye Clinic", "zone": "Europe/London", "country": "GB"}
    named = {"identifiers": [{"system": "AIL-3.4", "value": "EYE"}]}
    async with httpx2.AsyncClient(headers={"authorization": f"Bearer {system.key}"}) as http:
        answer = await http.put(f"{system.urls['booking']}/v1/clinics/EYE", json=clinic | named)
    assert answer.status_code == 200, answer.text


def port_of(system: System) -> int:
    """Return where the listener is reached."""
    return int(system.urls["booking-mllp"].rpartition(":")[2])


async def play(system: System, senders: int, each: int, kills: Sequence[str]) -> Outcome:
    """Send by several engines at once, each visit booked and then moved, and kill a part whenever a share is there.

    Args:
        each: Visits of each sender.
        kills: The parts that are killed, in order.
    """
    await enter_clinic(system)
    async with database(system) as pool:
        sending = [
            asyncio.create_task(hapi(port_of(system), _of(sender, each), within_s=1_200)) for sender in range(senders)
        ]
        for number, part in enumerate(kills, 1):
            share = senders * each * number // (len(kills) + 1)
            await until(lambda share=share: _at_least(pool, share), f"{share} visits")
            system.kill(part)
        sent = [one for each_ in await asyncio.gather(*sending) for one in each_]
        await until(lambda: _is_empty(pool), "every event is on its topic")
        return await _judged(pool, sent, len(kills))


def _of(sender: int, visits: int) -> list[str]:
    """Return a sender's messages: each visit is booked and then moved."""
    names = [f"{sender}-{number}" for number in range(visits)]
    moves = {name: booked(name, trigger="S13", start="20270315090000+0000") for name in names}
    return [one for name in names for one in (booked(name), moves[name])]


async def _at_least(pool: Pool, visits: int) -> bool:
    return bool(await pool.fetchval("SELECT count(*) >= $1 FROM appointment", visits))


async def _is_empty(pool: Pool) -> bool:
    return not await pool.fetchval("SELECT count(*) FROM outbox")


async def _judged(pool: Pool, sent: Sequence[Sent], kills: int) -> Outcome:
    rows = await pool.fetch(_HELD)
    versions = {row[0].removeprefix("filler|").rpartition("|")[2]: row[1] for row in rows}
    taken = Counter("F" + one.control_id.partition("-")[2] for one in sent if one.code == "AA")
    lost = sum(max(0, count - versions.get(name, 0)) for name, count in taken.items())
    doubled = sum(max(0, held - taken[name]) for name, held in versions.items())
    doubled += sum(row[2] != row[1] for row in rows) + len(rows) - len(versions)
    codes = dict(Counter(one.code for one in sent))
    again = sum(one.tries - 1 for one in sent)
    return Outcome(len(sent), kills, again, codes, lost, doubled, await pool.fetchval("SELECT count(*) FROM outbox"))
