"""The listener of MLLP over a real socket: order, bounds, silence, and its end."""

import asyncio
import contextlib
import gc
import itertools

import pytest

from booking.mllp.connection import Patience
from booking.mllp.frames import framed
from chassis.process.errors import Misconfigured, Unavailable
from tests.support.waiting import until
from tests.unit.booking.mllp.conftest import Listen, held, message

A, B = message("a"), message("b")


async def test_a_message_is_answered_and_the_connection_stays(listen: Listen) -> None:
    one = await listen()
    peer = await one.peer()
    for name in ("a", "b"):
        await peer.send(framed([message(name)]))
        assert await peer.answers(1) == [("AA", name)]
    assert one.count("messages_total", ack="AA") == 2


async def test_several_in_a_packet_are_taken_together_and_answered_in_order(listen: Listen) -> None:
    one = await listen()
    names = [str(number) for number in range(50)]
    peer = await one.peer()
    await peer.send(b"\0\r\n".join(framed([message(name)]) for name in names))
    assert await peer.answers(50) == [("AA", name) for name in names]
    assert one.door.taken == names
    assert one.door.calls < 5


async def test_a_message_in_two_packets_and_its_end_in_a_third(listen: Listen) -> None:
    one = await listen()
    peer = await one.peer()
    text = framed([A])
    await peer.send(text[:1], text[1:9])
    await until(lambda: one.count("half_frame_bytes") == 8)
    await peer.send(text[9:-1])
    await until(lambda: one.count("half_frame_bytes") == len(text) - 2)
    await peer.send(text[-1:])
    assert await peer.answers(1) == [("AA", "a")]
    assert one.count("half_frame_bytes") == 0


async def test_what_is_sent_while_others_are_taken_waits_and_is_not_read(listen: Listen) -> None:
    one = await listen()
    peer = await one.peer()
    text, sent = framed([A]) * 1000, 0
    async with held(one.door):
        await peer.send(framed([B]))
        await until(lambda: one.door.waiting == 1)
        while peer.writer.transport.get_write_buffer_size() < len(text):  # what the two systems hold is full
            peer.writer.write(text)
            sent += 1000
            await asyncio.sleep(0)
        assert one.door.waiting == 1
    answers = await peer.answers(1 + sent)
    assert answers == [("AA", "b"), *[("AA", "a")] * sent]


async def test_one_that_is_too_long_is_refused_by_its_head_and_the_others_are_taken(listen: Listen) -> None:
    one = await listen(Patience(frame=200))
    peer = await one.peer()
    await peer.send(framed([A, message("long") + b"NTE|" + b"x" * 300_000, B]))
    assert await peer.answers(3) == [("AA", "a"), ("AR", "long"), ("AA", "b")]
    assert one.door.taken == ["a", "b"]


@pytest.mark.parametrize("failure", [Unavailable("DATABASE_UNAVAILABLE", "away"), ValueError("a fault of ours")])
async def test_a_door_that_is_away_means_later(listen: Listen, failure: Exception) -> None:
    one = await listen()
    peer = await one.peer()
    one.door.fails = failure
    await peer.send(framed([A, B]))
    assert await peer.answers(2) == [("AE", "a"), ("AE", "b")]
    one.door.fails = None
    await peer.send(framed([A, B]))
    assert await peer.answers(2) == [("AA", "a"), ("AA", "b")]
    assert one.count("messages_total", ack="AE") == 2


async def test_a_fault_of_ours_is_logged_and_ends_one_connection_and_no_other(listen: Listen) -> None:
    unheard = list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, told: unheard.append(told))
    one = await listen()
    peer, other = await one.peer(), await one.peer()
    one.door.fails, one.door.says_later = ValueError("a fault of ours"), False
    await peer.send(framed([A]))
    assert await peer.ended() == b""
    assert one.count("ended_total", reason="FAILED") == 1
    one.door.fails = None
    await other.send(framed([B]))
    assert await other.answers(1) == [("AA", "b")]
    gc.collect()
    assert unheard == []


@pytest.mark.parametrize(("said", "why"), [(b"\x0bMSH|", "HALF_FRAME"), (b"GET / HTTP/1.1\r\n\r\n", "HALF_FRAME")])
async def test_half_a_message_and_bytes_without_one_end_after_a_bound(listen: Listen, said: bytes, why: str) -> None:
    one = await listen(Patience(half_frame_s=0.05))
    peer, silent = await one.peer(), await one.peer()
    await peer.send(framed([A]))
    assert await peer.answers(1) == [("AA", "a")]
    await peer.send(said)
    assert await peer.ended() == b""
    assert one.count("ended_total", reason=why) == 1
    await silent.send(framed([B]))  # who says nothing is borne
    assert await silent.answers(1) == [("AA", "b")]


async def test_who_drips_is_judged_from_his_first_byte(listen: Listen) -> None:
    seconds = itertools.count(step=10)  # each look at the clock is ten seconds later
    one = await listen(Patience(half_frame_s=100), monotonic=lambda: float(next(seconds)))
    peer = await one.peer()

    async def drip() -> None:
        while True:
            peer.writer.write(b"\x0b")
            await asyncio.sleep(0.001)

    dripping = asyncio.create_task(drip())
    assert await peer.ended() == b""
    dripping.cancel()
    assert one.count("ended_total", reason="HALF_FRAME") == 1


async def test_a_silent_peer_ends_where_a_bound_is_set(listen: Listen) -> None:
    one = await listen(Patience(idle_s=0.05))
    assert await (await one.peer()).ended() == b""
    assert one.count("ended_total", reason="IDLE") == 1


async def test_a_peer_that_does_not_read_its_answers_ends(listen: Listen) -> None:
    one = await listen(Patience(write_s=0.05))
    peer = await one.peer(limit=1)
    with contextlib.suppress(ConnectionError):
        while True:
            await peer.send(framed([A]) * 1000)
    await until(lambda: one.count("ended_total", reason="SLOW_READER") == 1)
    await until(lambda: one.count("connections") == 0)


async def test_who_hangs_up_in_the_middle_is_told_of(listen: Listen) -> None:
    one = await listen()
    peer = await one.peer()
    await peer.send(framed([A]) + framed([B])[:-3])
    assert await peer.answers(1) == [("AA", "a")]
    peer.writer.close()
    await until(lambda: one.count("ended_total", reason="BROKEN_OFF") == 1)
    assert one.door.taken == ["a"]


async def test_it_says_how_old_the_oldest_half_message_is(listen: Listen) -> None:
    now = 100.0
    one = await listen(monotonic=lambda: now)
    for half in (b"\x0bM", b"\x0bMSH"):
        peer = await one.peer()
        await peer.send(half)
        await until(lambda: one.count("half_frame_bytes") in {1, 4})
        now += 5
    assert one.count("half_frame_seconds") == 10.0


async def test_500_connections_at_once_each_in_its_order(listen: Listen) -> None:
    one = await listen()
    peers = [await one.peer() for _ in range(500)]
    await until(lambda: one.count("connections") == 500)

    async def talk(number: int) -> None:
        for turn in range(4):
            await peers[number].send(framed([message(f"{number}-{turn}")]))
            assert await peers[number].answers(1) == [("AA", f"{number}-{turn}")]

    await asyncio.gather(*map(talk, range(500)))
    assert sorted(one.door.taken) == sorted(f"{number}-{turn}" for number in range(500) for turn in range(4))
    for peer in peers:
        peer.writer.close()
    await until(lambda: one.count("connections") == 0)


async def test_one_more_than_may_be_is_closed_until_another_goes(listen: Listen) -> None:
    one = await listen(Patience(connections=2))
    first, _ = await one.peer(), await one.peer()
    await until(lambda: one.count("connections") == 2)
    assert await (await one.peer()).ended() == b""
    assert one.count("turned_away_total", reason="FULL") == 1
    first.writer.close()
    await until(lambda: one.count("connections") == 1)
    later = await one.peer()
    await later.send(framed([A]))
    assert await later.answers(1) == [("AA", "a")]


async def test_whose_address_is_not_allowed_is_closed(listen: Listen) -> None:
    one = await listen(allowed=["10.0.0.0/8", "::1/128"])
    assert await (await one.peer()).ended() == b""
    assert one.count("turned_away_total", reason="ADDRESS") == 1
    other = await listen(allowed=["10.0.0.0/8", "127.0.0.0/8"], sources={"127.0.0.1": "epic", "127.0.0.0/8": "others"})
    peer = await other.peer()
    await peer.send(framed([A]))
    assert await peer.answers(1) == [("AA", "a")]
    assert other.door.sources == {"epic"}


async def test_told_to_stop_it_answers_what_it_has_read_and_closes_all(listen: Listen) -> None:
    one = await listen()
    busy, half, silent = await one.peer(), await one.peer(), await one.peer()
    async with held(one.door):
        await busy.send(framed([A, B]))
        await half.send(framed([A])[:5])
        await until(lambda: one.door.waiting == 2 and one.count("half_frame_bytes") == 4)
        one.stop.set()
        assert await half.ended() == await silent.ended() == b""
        with pytest.raises(OSError, match=r"refused|failed"):
            await one.peer()
    assert await busy.answers(2) == [("AA", "a"), ("AA", "b")]
    assert await busy.ended() == b""
    await one.end()
    assert one.listener.connections == 0


async def test_a_port_that_is_taken_is_said_at_the_start(listen: Listen) -> None:
    one = await listen()
    with pytest.raises(Misconfigured, match=f"port {one.port} of 127.0.0.1 cannot be listened on"):
        await one.listener.serve("127.0.0.1", one.port, asyncio.Event())
