"""A person's news of one day at one clinic is one message, on real parts: retries, channels, reports, kills, races."""

import asyncio
import signal
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from notifier.lanes.domain.together import STEPS_BACK
from notifier.lanes.store import PostgresLedger
from notifier.ledger.domain.notification import Notification
from schemas.appointments import Appointment, Status
from schemas.notifications import Channel, Outcome
from tests.support.carriers.log import Taken
from tests.support.installation import Installation
from tests.support.notifier.bookings_tables import MONDAY
from tests.support.notifier.running import RunningNotifier
from tests.support.waiting import until

pytestmark = pytest.mark.integration

WEDNESDAY = MONDAY + timedelta(days=2)
OFF = {"status": Status.CANCELLED}
TWO_MINUTES = timedelta(minutes=2)


async def waiting(notifier: RunningNotifier, patient: UUID, number: int = 4) -> list[Appointment]:
    """Book visits of one day, an hour after another, and wait until their confirmations do; no lane runs."""
    visits = [await notifier.book(patient, starts_at=WEDNESDAY + timedelta(hours=nth)) for nth in range(number)]
    await in_state(notifier, visits, "confirmation", "queued")
    return visits


async def in_state(notifier: RunningNotifier, visits: Sequence[Appointment], kind: str, state: str) -> None:
    for visit in visits:
        await notifier.settled(visit, kind, state)


async def lanes(notifier: RunningNotifier, *channels: Channel) -> None:
    await notifier.start(fanout=False, lanes=channels or (Channel.EMAIL, Channel.SMS, Channel.WHATSAPP))


async def taken(notifier: RunningNotifier, patient: UUID, column: str = "email") -> list[Taken]:
    return notifier.carriers.to(await notifier.address(patient, column))


async def calls_of(notifier: RunningNotifier, visits: Sequence[Appointment]) -> list[asyncpg.Record]:
    """Return the last attempt of each visit's newest message."""
    return await notifier.pool.fetch(
        "SELECT made.* FROM notification AS one JOIN attempt AS made ON made.attempt_id = one.attempt_id"
        " WHERE one.appointment_id = ANY($1::uuid[]) ORDER BY made.with_attempt NULLS FIRST",
        [visit.appointment_id for visit in visits],
    )


async def test_four_confirmations_are_one_mail_and_each_visit_has_its_outcome(notifier: RunningNotifier) -> None:
    patient = await notifier.patient()
    await notifier.start(lanes=())
    visits = await waiting(notifier, patient)
    await lanes(notifier)

    await in_state(notifier, visits, "confirmation", "accepted")

    [mail] = await taken(notifier, patient)
    assert "09:00, 10:00, 11:00 and 12:00" in mail.body
    made = await calls_of(notifier, visits)
    assert [str(made[0]["attempt_id"])] * 3 == [str(one["with_attempt"]) for one in made[1:]]
    assert {one["outcome"] for one in made} == {"accepted"}
    assert [one["reference"] is None for one in made] == [False, True, True, True]

    async def published() -> bool:
        told = [one for one in await notifier.outcomes() if one.kind == "confirmation"]
        return {one.appointment_id for one in told if one.outcome is Outcome.ACCEPTED} == {
            visit.appointment_id for visit in visits
        }

    await until(published)


async def test_a_day_that_is_cancelled_is_one_message_also_if_it_is_read_in_portions(notifier: RunningNotifier) -> None:
    patient = await notifier.patient(email=None)
    await notifier.start()
    visits = [await notifier.book(patient, starts_at=WEDNESDAY + timedelta(hours=nth)) for nth in range(4)]
    await in_state(notifier, visits, "confirmation", "accepted")
    before = len(await taken(notifier, patient, "mobile"))

    for visit in visits[:2]:
        await notifier.change(visit, **OFF)
    await in_state(notifier, visits[:2], "cancelled", "queued")
    notifier.step(timedelta(seconds=8))
    for visit in visits[2:]:
        await notifier.change(visit, **OFF)
    await in_state(notifier, visits[2:], "cancelled", "queued")
    notifier.step(TWO_MINUTES - timedelta(seconds=8))
    await in_state(notifier, visits, "cancelled", "accepted")

    told = (await taken(notifier, patient, "mobile"))[before:]
    assert [one.body.partition(". ")[0] for one in told] == [
        "Ada, your appointments on Wed 3 Mar, 09:00, 10:00, 11:00 and 12:00, Clinic NORTH are cancelled"
    ]


async def test_a_refused_mail_goes_by_sms_once_with_the_list(notifier: RunningNotifier) -> None:
    patient = await notifier.patient()
    notifier.carriers.script(await notifier.address(patient, "email"), 550)
    await notifier.start(lanes=())
    visits = await waiting(notifier, patient)
    await lanes(notifier)

    await in_state(notifier, visits, "confirmation", "accepted")

    [told] = await taken(notifier, patient, "mobile")
    assert "09:00, 10:00, 11:00 and 12:00" in told.body
    assert notifier.carriers.asked.count(await notifier.address(patient, "email")) == 1
    rows = [await notifier.row(visit, "confirmation") for visit in visits]
    assert {(row["lane"], row["attempts"]) for row in rows if row} == {("sms", 2)}


async def test_what_is_refused_for_now_is_tried_again_as_one(notifier: RunningNotifier) -> None:
    patient = await notifier.patient()
    notifier.carriers.script(await notifier.address(patient, "email"), 451)
    await notifier.start(lanes=())
    visits = await waiting(notifier, patient)
    await lanes(notifier)
    for visit in visits:
        await notifier.tried(visit, "confirmation", 1)
    gone = await notifier.change(visits[1], **OFF)
    await notifier.settled(gone, "confirmation", "skipped")

    notifier.step(timedelta(seconds=30))
    await in_state(notifier, [visits[0], *visits[2:]], "confirmation", "accepted")

    [mail] = await taken(notifier, patient)
    assert "09:00, 11:00 and 12:00" in mail.body


async def test_g5_a_cancellation_that_nobody_has_read_yet_is_seen_by_its_own_row(notifier: RunningNotifier) -> None:
    patient = await notifier.patient()
    await notifier.start(lanes=())
    visits = await waiting(notifier, patient)
    await notifier.hold(visits[2].model_copy(update={"version": 2, **OFF}))
    await lanes(notifier)

    await in_state(notifier, [*visits[:2], visits[3]], "confirmation", "accepted")

    assert (await notifier.settled(visits[2], "confirmation", "skipped"))["reason"] == "APPOINTMENT_CANCELLED"
    [mail] = await taken(notifier, patient)
    assert "09:00, 10:00 and 12:00" in mail.body


async def test_d36_an_opt_out_before_the_call_stops_all_of_it(notifier: RunningNotifier) -> None:
    patient = await notifier.patient(email=None)
    await notifier.start(lanes=())
    visits = await waiting(notifier, patient)
    await notifier.pool.execute(
        "INSERT INTO opt_out (channel, address_key, category, since, caused_by) VALUES ('sms', $1, 'notices', $2, 't')",
        notifier.peppers.of(await notifier.address(patient, "mobile")).key,
        MONDAY,
    )
    await lanes(notifier)

    await in_state(notifier, visits, "confirmation", "skipped")
    assert notifier.carriers.taken == []


async def test_killed_during_the_call_every_visit_is_listed_and_nothing_sent_again(notifier: RunningNotifier) -> None:
    patient = await notifier.patient()
    notifier.carriers.script(await notifier.address(patient, "email"), "held")
    await notifier.start(lanes=())
    visits = await waiting(notifier, patient)
    process = await notifier.process("lane", "email")

    async def called() -> bool:
        return len(notifier.carriers.taken) == 1

    await until(called)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    await in_state(notifier, visits, "confirmation", "sending")
    await notifier.let_leases_run_out()
    await lanes(notifier)

    await in_state(notifier, visits, "confirmation", "unknown")
    assert len(notifier.carriers.taken) == 1


async def test_two_instances_at_once_give_everybody_one_message(notifier: RunningNotifier) -> None:
    patients = [await notifier.patient() for _ in range(25)]
    await notifier.start(lanes=())
    visits = [
        await notifier.book(patient, starts_at=WEDNESDAY + timedelta(hours=nth, minutes=place))
        for nth in range(4)
        for place, patient in enumerate(patients)
    ]
    await in_state(notifier, visits, "confirmation", "queued")
    await asyncio.gather(*(lanes(notifier, Channel.EMAIL) for _ in range(3)))

    await in_state(notifier, visits, "confirmation", "accepted")

    assert [len(await taken(notifier, patient)) for patient in patients] == [1] * 25


async def test_what_stepped_back_on_a_later_attempt_is_locked_beside_the_first_of_them(
    notifier: RunningNotifier,
) -> None:
    patient = await notifier.patient()
    await notifier.start(lanes=())
    visits = await waiting(notifier, patient)
    ids = [visit.appointment_id for visit in visits]
    now = notifier.now
    await notifier.pool.execute(
        "UPDATE notification SET attempts = 1, next_attempt_at = $2 WHERE appointment_id = ANY($1::uuid[])"
        " AND recipient = 'patient'",
        ids[:3], now + STEPS_BACK,
    )  # fmt: skip
    await notifier.pool.execute(
        "UPDATE notification SET attempts = 1, next_attempt_at = $2 WHERE appointment_id = $1"
        " AND recipient = 'patient'",
        ids[3], now + STEPS_BACK + timedelta(milliseconds=1),
    )  # fmt: skip

    async with PostgresLedger(notifier.pool, timedelta(minutes=1), {}, notifier.peppers).transaction() as work:
        found = await work.lock_beside(Channel.EMAIL, {(patient, "NORTH")}, [], now, now)

    assert {one.appointment_id for one in found.rows if isinstance(one, Notification)} == set(ids[:3])


async def test_while_somebody_has_one_of_them_the_others_wait_for_it(
    notifier: RunningNotifier, installation: Installation
) -> None:
    patient = await notifier.patient()
    await notifier.start(lanes=())
    visits = await waiting(notifier, patient)
    other = await notifier.patient()
    alone = await notifier.book(other)
    await notifier.settled(alone, "confirmation", "queued")
    holder = await asyncpg.connect(installation.admin_url, server_settings={"search_path": "notifier"})
    try:
        async with holder.transaction():
            await holder.execute(
                "SELECT FROM notification WHERE appointment_id = $1 FOR UPDATE", visits[1].appointment_id
            )
            await lanes(notifier)
            await notifier.settled(alone, "confirmation", "accepted")
            assert await taken(notifier, patient) == []
    finally:
        await holder.close()

    await in_state(notifier, visits, "confirmation", "accepted")
    assert len(await taken(notifier, patient)) == 1
