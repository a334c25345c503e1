"""The worker on a real broker: planned, due, marked; killed, restarted; committed."""

import asyncio
import signal
from datetime import timedelta

import psutil
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from chassis.kafka import topics
from reminders.timers.row import unpack
from schemas.appointments import Bar, Status
from schemas.reminders import Reason
from schemas.topics import APPOINTMENTS, REMINDERS
from tests.support.reminders.builders import VISIT, appointment, id_of, row_of
from tests.support.reminders.running import RunningReminders, names
from tests.support.waiting import until

pytestmark = pytest.mark.integration


async def test_r10_a_booked_visit_is_reminded_a_day_and_two_hours_before_and_marked_so_that_it_never_is_again(
    reminders: RunningReminders,
) -> None:
    worker = reminders.start("worker")
    await reminders.ready(worker)
    await reminders.publish(appointment())
    await reminders.idle(worker)
    assert [[r.rule for r in plan.reminders] for plan in await reminders.planned()] == [["24h", "2h"]]
    assert await reminders.due() == []
    assert (await reminders.get(worker, "/clock")).json()["next_wake_at"] == (VISIT - timedelta(hours=24)).isoformat()

    reminders.step(VISIT - timedelta(hours=24))
    await reminders.idle(worker)
    assert names(await reminders.due()) == [(1, "24h")]

    reminders.step(VISIT - timedelta(hours=2))
    await reminders.idle(worker)
    reminders.step(VISIT)
    await reminders.idle(worker)
    assert names(await reminders.due()) == [(1, "24h"), (1, "2h")]
    assert (await reminders.get(worker, "/clock")).json()["next_wake_at"] is None


async def test_d44_a_patient_to_whom_no_message_may_go_has_his_reminders_cancelled_and_those_ahead_back_later(
    reminders: RunningReminders,
) -> None:
    worker = reminders.start("worker")
    await reminders.ready(worker)
    await reminders.publish(appointment())
    await reminders.idle(worker)
    await reminders.publish(appointment(version=2, barred=Bar.DECEASED))
    await reminders.idle(worker)
    reminders.step(VISIT - timedelta(hours=12))
    await reminders.idle(worker)
    assert await reminders.due() == []

    await reminders.publish(appointment(version=3, event_time=VISIT - timedelta(hours=12)))
    await reminders.idle(worker)
    reminders.step(VISIT - timedelta(hours=2))
    await reminders.idle(worker)

    planned = [{r.rule: r.reason for r in plan.reminders} for plan in await reminders.planned()]
    assert planned == [
        {"24h": None, "2h": None}, {"24h": Reason.DECEASED, "2h": Reason.DECEASED},
        {"24h": Reason.DUE_IN_PAST, "2h": None},
    ]  # fmt: skip
    assert names(await reminders.due()) == [(1, "2h")]


@pytest.mark.parametrize("cython", ["compiled", "NO_CYTHON"])
async def test_after_n_events_and_a_stop_the_committed_offset_is_n(reminders: RunningReminders, cython: str) -> None:
    worker = reminders.start_anew("worker", **({"NO_CYTHON": "1"} if cython == "NO_CYTHON" else {}))
    await reminders.ready(worker)
    await reminders.publish(*(appointment(f"visit {n}") for n in range(300)))
    await reminders.idle(worker)

    code = worker.kill(signal.SIGTERM)

    assert code == 0, worker.log[-2000:]
    assert await reminders.committed() == 300


async def test_offsets_are_committed_while_it_runs_and_a_restart_recovers_the_rows_that_were_written(
    reminders: RunningReminders,
) -> None:
    worker = reminders.start("worker")
    await reminders.ready(worker)
    await reminders.publish(*(appointment(f"visit {n}") for n in range(200)))

    async def all_committed() -> bool:
        return await reminders.committed() == 200

    await until(all_committed, "200 committed")
    worker.kill(signal.SIGTERM)
    written = await reminders.changelog()

    again = reminders.start("worker")
    await reminders.ready(again)

    assert sum(map(len, written.values())) == 200
    status = (await reminders.get(again, "/status")).json()
    assert (status["rows"], status["partitions"]) == (200, ", ".join(map(str, range(APPOINTMENTS.partitions))))
    reminders.step(VISIT - timedelta(hours=24))
    await reminders.idle(again)
    assert len({due.reminder_id for due in await reminders.due()}) == 200


async def test_a_kill_between_hand_over_and_mark_gives_only_repeats_with_the_same_id(
    reminders: RunningReminders,
) -> None:
    visits = [appointment(f"visit {n}") for n in range(400)]
    worker = reminders.start("worker")
    await reminders.ready(worker)
    await reminders.publish(*visits)
    await reminders.idle(worker)

    reminders.step(VISIT - timedelta(hours=24))

    async def some_left() -> bool:
        return bool(await reminders.due())

    await until(some_left, "first hand-overs")
    worker.kill()  # wherever it stands: some are handed over and not marked
    again = reminders.start("worker")
    await reminders.ready(again)
    await reminders.idle(again)

    due = await reminders.due()
    assert {(d.appointment_id, d.rule) for d in due} == {(v.appointment_id, "24h") for v in visits}
    assert len({d.reminder_id for d in due}) == 400


async def test_a_kill_while_events_are_taken_loses_none(reminders: RunningReminders) -> None:
    """Plans and rows of a worker killed twice on its way through 1,500 events equal those of the source."""
    visits = [appointment(f"visit {n}") for n in range(1500)]
    await reminders.publish(*visits)
    for taken in (100, 700):
        worker = reminders.start("worker")

        async def some_taken(taken: int = taken) -> bool:
            return len(await reminders.planned()) >= taken

        await until(some_taken, f"{taken} planned")
        worker.kill()
    last = reminders.start("worker")
    await reminders.ready(last)
    await reminders.idle(last)

    rows = {key: unpack(row) for part in (await reminders.changelog()).values() for key, row in part.items()}
    assert rows == {visit.appointment_id.bytes: row_of(visit) for visit in visits}
    assert {plan.appointment_id for plan in await reminders.planned()} == {visit.appointment_id for visit in visits}


async def test_r14_d10_cancelled_visits_are_not_reminded_moved_ones_at_their_new_time_only(
    reminders: RunningReminders,
) -> None:
    worker = reminders.start("worker")
    await reminders.ready(worker)
    booked, cancelled = appointment("cancelled"), appointment("cancelled", version=2, status=Status.CANCELLED)
    moved = appointment("moved", version=2, starts_at=VISIT + timedelta(days=2), schedule_gen=2)
    await reminders.publish(booked, cancelled, cancelled, booked, appointment("moved"), moved)
    await reminders.idle(worker)

    reminders.step(VISIT - timedelta(hours=1))
    await reminders.idle(worker)
    assert await reminders.due() == []
    reminders.step(VISIT + timedelta(days=1))
    await reminders.idle(worker)

    assert [(due.appointment_id, due.schedule_gen, due.rule) for due in await reminders.due()] == [
        (id_of("moved"), 2, "24h")
    ]
    assert sorted(plan.version for plan in await reminders.planned()) == [1, 1, 2, 2]  # the repeats planned nothing
    metrics = (await reminders.get(worker, "/metrics")).text
    assert 'effect="repeat"' in metrics
    assert 'effect="stale"' in metrics
    listening = [c for c in psutil.Process(worker.running.id.pid).net_connections() if c.status == psutil.CONN_LISTEN]
    assert [(c.laddr.ip, c.laddr.port) for c in listening] == [
        ("127.0.0.1", worker.operations_port)
    ]  # health, and nothing of Faust's


async def test_d15_what_fell_due_while_nobody_looked_is_handed_over_if_in_time_else_cancelled(
    reminders: RunningReminders,
) -> None:
    worker = reminders.start("worker")
    await reminders.ready(worker)
    await reminders.publish(appointment("in time"), appointment("too late", starts_at=VISIT - timedelta(hours=15)))
    await reminders.idle(worker)
    worker.kill()

    reminders.step(VISIT - timedelta(hours=20))
    again = reminders.start("worker")
    await reminders.ready(again)
    await reminders.idle(again)

    assert [d.appointment_id for d in await reminders.due()] == [id_of("in time")]
    (late,) = await reminders.cancelled()
    assert late.appointment_id == id_of("too late")
    assert [(r.rule, r.reason) for r in late.reminders] == [("24h", "TOO_LATE")]
    metrics = (await reminders.get(again, "/metrics")).text
    assert 'attend_reminders_overdue{outcome="handed_over"} 1.0' in metrics  # B3: told before it was done
    assert 'attend_reminders_overdue{outcome="too_late"} 1.0' in metrics
    log = again.log
    assert log.index("reminders.catch_up") < log.index("reminders.due")


async def test_a_row_leaves_table_and_changelog_72_hours_after_the_visit_and_not_before(
    reminders: RunningReminders,
) -> None:
    worker = reminders.start("worker")
    await reminders.ready(worker)
    await reminders.publish(appointment("over"), appointment("ahead", starts_at=VISIT + timedelta(hours=1)))
    await reminders.idle(worker)
    reminders.step(VISIT + timedelta(hours=72))

    async def one_left() -> bool:
        return bool((await reminders.get(worker, "/status")).json()["rows"] == 1)

    await until(one_left, "a row left")
    (rows,) = [rows for rows in (await reminders.changelog()).values() if rows]
    assert list(rows) == [id_of("ahead").bytes]
    worker.kill()
    again = reminders.start("worker")
    await reminders.ready(again)
    assert (await reminders.get(again, "/status")).json()["rows"] == 1


async def test_a_topic_with_other_partitions_stops_the_start_with_the_way_out(reminders: RunningReminders) -> None:
    worker = reminders.start("worker", ATTEND_TOPIC_PREFIX="nowhere.")

    code = await asyncio.to_thread(worker.ended, 30)

    assert code == 78
    assert "attend topics apply" in worker.log


async def test_an_error_nobody_expects_ends_the_process_without_a_commit(reminders: RunningReminders) -> None:
    """The broker takes no plan of that size: better no worker than one that goes on without."""
    worker = reminders.start("worker")
    await reminders.ready(worker)
    small = {**topics.wanted_settings(REMINDERS), "max.message.bytes": "100"}
    name = reminders.installation.topic_prefix + REMINDERS.name
    admin = AIOKafkaAdminClient(bootstrap_servers=reminders.installation.bootstrap)
    await admin.start()
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, small)])
    await admin.close()
    await reminders.publish(appointment())

    code = await asyncio.to_thread(worker.ended, 60)

    assert code == 1
    assert "MessageSizeTooLargeError" in worker.log
    assert await reminders.committed() == 0


@pytest.mark.parametrize("standbys", ["0", "1"])
async def test_partitions_are_shared_and_taken_over(reminders: RunningReminders, standbys: str) -> None:
    first, second = (reminders.start("worker", REMINDERS_STANDBYS=standbys) for _ in range(2))
    await reminders.ready(first, second)
    await reminders.publish(*(appointment(f"visit {n}") for n in range(120)))
    await reminders.idle(first, second)
    shares = [(await reminders.get(p, "/status")).json()["rows"] for p in (first, second)]

    first.kill()
    reminders.step(VISIT - timedelta(hours=24) + timedelta(minutes=1))

    async def all_handed_over() -> bool:
        return len({d.reminder_id for d in await reminders.due()}) == 120

    await until(all_handed_over, "all fired by the survivor")
    assert sum(shares) == 120
    assert min(shares) > 0
    assert second.lives
