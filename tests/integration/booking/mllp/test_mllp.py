"""HL7 v2 over MLLP, to the rows: HAPI's client, which is not ours, and wires that do what senders in the field do."""

import asyncio

import pytest

from booking.door import client_keys
from tests.integration.booking.mllp.conftest import Listening, told
from tests.support.booking.door import Door
from tests.support.booking.mllp import Lossy, Sent, booked, hapi

pytestmark = pytest.mark.integration

VISITS = """
SELECT a.status, a.version, (SELECT count(*) FROM appointment_history h WHERE h.appointment_id = a.appointment_id)
FROM appointment a ORDER BY a.starts_at, a.appointment_id
"""


async def visits(door: Door) -> list[tuple[str, int, int]]:
    """Return status, version and number of versions of each visit."""
    return [tuple(row) for row in await door.pool.fetch(VISITS)]


async def test_hapis_client_books_moves_and_cancels(door: Door, listening: Listening) -> None:
    later = "20270315090000+0000"
    messages = [booked(1), booked(1, trigger="S13", start=later), booked(1, trigger="S15", start=later, word="")]
    assert await hapi(listening.port, messages) == [Sent(f"{one}-1", "AA", 1) for one in ("S12", "S13", "S15")]
    assert await visits(door) == [("cancelled", 3, 3)]


async def test_an_acknowledgement_that_is_lost_brings_the_message_again_and_nothing_twice(
    door: Door, listening: Listening
) -> None:
    async with Lossy.open(listening.port) as way:
        way.lose = 3
        sent = await hapi(way.port, [booked(number) for number in range(5)])
    assert (way.lost, [one.code for one in sent], sent[0].tries) == (3, ["AA"] * 5, 4)
    assert await visits(door) == [("booked", 1, 1)] * 5
    assert await door.pool.fetchval("SELECT count(*) FROM ingress") == 5


async def test_the_same_id_with_another_content_is_another_message(door: Door, listening: Listening) -> None:
    async with listening.wire() as wire:
        first, other = booked(1), booked(1).replace("20270312100000", "20270313110000")
        assert told(await wire.ask(first, other, first)) == ["AA S12-1"] * 3
    assert await visits(door) == [("booked", 2, 2)]


async def test_what_can_never_be_taken_is_told_why_and_its_neighbours_are_taken(
    door: Door, listening: Listening
) -> None:
    no_sch = booked(2).replace("SCH|", "ZCH|")
    order = booked(3).replace("SIU^S12", "ORM^O01")
    async with listening.wire() as wire:
        answers = told(await wire.ask(booked(1), no_sch, order, b"hello", booked(4)))
    assert answers == ["AA S12-1", "AR S12-2 NO_SCH", "AR S12-3 UNSUPPORTED_MESSAGE", "AR ", "AA S12-4"]
    assert await visits(door) == [("booked", 1, 1)] * 2


async def test_a_batch_in_a_frame_is_answered_message_by_message(door: Door, listening: Listening) -> None:
    batch = "FHS|^~\\&|HIS\rBHS|^~\\&|HIS\r" + booked(1) + "\r" + booked(2) + "\rBTS|2\rFTS|1\r"
    async with listening.wire() as wire:
        (answer,) = await wire.ask(batch)
        assert told(["MSH" + one for one in answer.split("MSH")[1:]]) == ["AA S12-1", "AA S12-2"]
    assert await visits(door) == [("booked", 1, 1)] * 2


async def test_500_connections_at_once_lose_and_double_nothing(door: Door, listening: Listening) -> None:
    async def talk(number: int) -> list[str]:
        async with listening.wire() as wire:
            moved = booked(number, trigger="S13", start="20270315090000+0000")
            return [*told(await wire.ask(booked(number))), *told(await wire.ask(moved))]

    answers = await asyncio.gather(*map(talk, range(500)))
    assert answers == [[f"AA S12-{number}", f"AA S13-{number}"] for number in range(500)]
    assert await visits(door) == [("booked", 2, 2)] * 500


async def test_a_client_without_rights_means_later_until_he_has_them(door: Door, listening: Listening) -> None:
    await client_keys.revoke(door.pool, "local")
    async with listening.wire() as wire:
        assert told(await wire.ask(booked(1), booked(2))) == ["AE S12-1 NOT_STORED", "AE S12-2 NOT_STORED"]
        await door.pool.execute("UPDATE api_client SET revoked = false")
        assert told(await wire.ask(booked(1), booked(2))) == ["AA S12-1", "AA S12-2"]
    assert await visits(door) == [("booked", 1, 1)] * 2
