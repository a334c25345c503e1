"""Who asks the consumer's thread while all stops is answered, and nothing fails by that."""

import asyncio
from typing import Any

import pytest
from faust.exceptions import ConsumerNotStarted
from mode.threads import MethodQueue

from reminders.timers.consumer import AwaitedConsumer
from reminders.timers.thread import ReadCommittedThread


def thread_of(loop: asyncio.AbstractEventLoop) -> ReadCommittedThread:
    """Return a thread that was never started, with this loop."""
    thread = ReadCommittedThread.__new__(ReadCommittedThread)
    thread.thread_loop = loop
    thread.parent_loop = asyncio.get_running_loop()
    thread._method_queue = MethodQueue(loop=loop)
    return thread


def ended() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.close()
    return loop


async def nothing() -> None: ...


async def test_a_call_to_a_thread_that_has_ended_says_that_there_is_no_consumer() -> None:
    with pytest.raises(ConsumerNotStarted):
        await thread_of(ended()).call_thread(nothing)


async def test_an_error_of_the_same_class_in_a_thread_that_runs_stays_itself() -> None:
    class Failing(asyncio.SelectorEventLoop):
        def call_soon_threadsafe(self, *_args: Any, **_kwargs: Any) -> Any:  # type: ignore[override]
            raise RuntimeError("another")

    loop = Failing()
    try:
        with pytest.raises(RuntimeError, match="another"):
            await thread_of(loop).call_thread(nothing)
    finally:
        loop.close()


async def test_the_look_at_the_group_in_the_moment_of_stopping_is_no_failure() -> None:
    consumer = AwaitedConsumer.__new__(AwaitedConsumer)
    consumer._thread = thread_of(ended())

    await consumer.check_group()
