"""What happens at the moment of firing: kills, cancellations and moves in the last second, steps of the clock."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

import pytest

from schemas.envelope import event_type
from schemas.reminders import REMINDER_DUE, REMINDERS_PLANNED, ReminderDue, RemindersPlanned
from schemas.topics import REMINDERS, TIMERS_CHANGELOG
from schemas.wire import decode
from tests.chaos.timers.workers import TimerWorkers
from tests.support.reminders.changelog import Changelog, watching
from tests.support.reminders.source import FIRST_VISIT, Source, planned_wrong, repeats
from tests.support.topics import Log

KILLS = 10
VISITS_A_KILL = 3000
DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)


@pytest.mark.chaos
@pytest.mark.timeout(900)
async def test_kills_while_reminders_leave_give_repeats_of_the_same_id_at_most(
    timers: TimerWorkers, say: Callable[[str], None]
) -> None:
    source, random = Source(10), Random(10)
    worker = timers.worker("one")
    await timers.ready(worker)
    for hour in range(KILLS):
        await timers.publish(*source.book(VISITS_A_KILL, FIRST_VISIT + hour * HOUR))
    await timers.settled(worker)
    inside = 0
    for hour in range(KILLS):
        before = len(await timers.due())
        async with watching(timers.broker.bootstrap, timers.name(REMINDERS), REMINDERS.partitions) as seen:
            timers.step(FIRST_VISIT - DAY + hour * HOUR)
            await seen.getone()
        await asyncio.sleep(random.uniform(0, 0.05))
        worker.kill()
        inside += len(await timers.due()) < before + VISITS_A_KILL
        worker = timers.worker("one")
        await timers.settled(worker)
    due, wanted = await timers.due(), source.due_by(FIRST_VISIT - DAY + KILLS * HOUR - SECOND)
    found, given_up = {d.reminder_id for d in due}, await events_given_up(timers)
    back = Changelog(await timers.log(TIMERS_CHANGELOG)).steps_back()
    say(
        f"{KILLS} kills while reminders left, {inside} before all were out, {given_up} events written and never "
        f"committed: {len(found & wanted)} of {len(wanted)}, {len(found - wanted)} ghosts, {repeats(due)} repeats of "
        f"an id, {len(back)} marks undone"
    )
    assert found == wanted
    assert back == []
    assert inside > 0, "every kill came too late: this run proves nothing"


async def events_given_up(timers: TimerWorkers) -> int:
    """Return how many events of the workers were acknowledged by the broker, and given up with their transaction."""
    written = await timers.log(REMINDERS, "read_uncommitted")
    return len(written) - len(await timers.log(REMINDERS))


def ghosts(log: Log) -> list[str]:
    """Return every hand-over that comes after the plan of a version above its own."""
    planned: dict[bytes | None, int] = {}
    found = []
    for record in log:
        kind = event_type(tuple(record.headers))
        if kind == REMINDERS_PLANNED:
            planned[record.key] = decode(RemindersPlanned, record.value).version
        elif kind == REMINDER_DUE and decode(ReminderDue, record.value).version < planned[record.key]:
            found.append(f"{record.partition}/{record.offset} comes after version {planned[record.key]}")
    return found


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_a_cancel_or_move_within_a_second_of_due_leaves_no_ghost(
    timers: TimerWorkers, say: Callable[[str], None]
) -> None:
    """Domain time runs through the due instant while half of the visits are cancelled and half are moved."""
    source, instants = Source(11), [FIRST_VISIT + hour * HOUR for hour in range(5)]
    worker = timers.worker("one")
    await timers.ready(worker)
    before = {}
    for start in instants:
        before[start] = source.book(400, start)
        await timers.publish(*before[start])
    await timers.settled(worker)
    first_ids = {start: source.due_by(start - DAY) for start in instants}
    for start in instants:
        timers.step(start - DAY - SECOND)
        visits = before[start]
        for at in range(0, len(visits), 20):  # over about 1.2 s
            cancelled, moved = visits[at : at + 10], visits[at + 10 : at + 20]
            await timers.publish(*source.cancel(cancelled), *source.move(moved, 30 * DAY))
            await asyncio.sleep(0.06)
        timers.step(start - DAY + SECOND)
        await timers.settled(worker)
    log = await timers.log(REMINDERS)
    due = await timers.due()
    old = {d.reminder_id for d in due if d.schedule_gen == 1}
    visits_in_all = sum(map(len, before.values()))
    timers.step(FIRST_VISIT + 30 * DAY - DAY + 5 * HOUR)
    await timers.settled(worker)
    new = {d.reminder_id for d in await timers.due()} - old
    wrong = planned_wrong(source, await timers.planned())
    say(
        f"{visits_in_all} visits cancelled or moved within 1 s of due: {len(old)} reminded before, "
        f"{visits_in_all - len(old)} not any more, {len(ghosts(log))} ghosts; {len(new)} of {visits_in_all // 2} moved "
        f"reminded at their new time, {repeats(due)} repeats"
    )
    assert old <= set().union(*first_ids.values())
    assert ghosts(log) == wrong == []
    assert len(new) == visits_in_all // 2
    assert 0 < len(old) < visits_in_all, "nothing fell on one of the two sides: this run proves nothing"


@pytest.mark.chaos
@pytest.mark.timeout(300)
async def test_steps_of_the_clock_by_five_minutes_fire_each_reminder_once_and_none_before_its_time(
    timers: TimerWorkers, say: Callable[[str], None]
) -> None:
    source, step = Source(12), timedelta(minutes=5)
    worker = timers.worker("one")
    await timers.ready(worker)
    for minute in range(60):
        await timers.publish(*source.book(10, FIRST_VISIT + minute * timedelta(minutes=1)))
    await timers.settled(worker)
    now = latest = FIRST_VISIT - DAY
    random, steps = Random(12), 0
    while latest < FIRST_VISIT - DAY + HOUR:
        now += step if random.random() < 0.65 else -step
        latest, steps = max(latest, now), steps + 1
        timers.step(now)
        await timers.publish(*source.book(5, now + DAY + timedelta(minutes=7, seconds=30)))
        await timers.settled(worker)
    timers.step(latest + HOUR)
    await timers.settled(worker)
    due, wanted = await timers.due(), source.due_by(latest + HOUR)
    found, early = {d.reminder_id for d in due}, early_ones(await timers.log(REMINDERS))
    say(
        f"{steps} steps of the clock by 5 min, forward and back: {len(found & wanted)} of {len(wanted)} reminders, "
        f"{len(found - wanted)} ghosts, {len(early)} early, {repeats(due)} repeats"
    )
    assert found == wanted
    assert (early, repeats(due)) == ([], 0)


def early_ones(log: Log) -> list[str]:
    """Return every hand-over that left before it was due, by the domain time it carries."""
    found = []
    for record in log:
        headers = dict(record.headers)
        if event_type(tuple(record.headers)) == REMINDER_DUE:
            due = decode(ReminderDue, record.value).due
            if datetime.fromisoformat(headers["ce_time"].decode()) < due:
                found.append(f"{record.partition}/{record.offset}")
    return found
