"""What waits in the ledger is found by whom it waits for, whoever wrote it, and by nobody else (D58)."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from notifier.fanout.handle.people import on_people
from notifier.fanout.store import PostgresFanoutStore, _turn
from notifier.ledger.told_before import ToldBefore
from schemas.appointments import Appointment, Status
from schemas.reminders import Reason
from tests.support.notifier.bookings_tables import MONDAY
from tests.support.notifier.callbacks import secrets, sms
from tests.support.notifier.running import RunningNotifier
from tests.support.waiting import until

pytestmark = pytest.mark.integration

NAMES_NOBODY = "UPDATE notification SET recipient_id = NULL, said_at = NULL, said_starts_at = NULL"
"""What an instance of the release before leaves."""


async def unreached(notifier: RunningNotifier) -> tuple[UUID, Appointment]:
    """Return a patient without an address, and his visit, of which he could not be told."""
    patient = await notifier.patient(mobile=None, email=None)
    visit = await notifier.book(patient)
    row = await notifier.settled(visit, "confirmation", "skipped")
    assert row["reason"] == Reason.NO_CONTACT
    return patient, visit


async def test_what_the_release_before_wrote_is_woken_by_patient_and_provider(notifier: RunningNotifier) -> None:
    provider = await notifier.provider()
    await notifier.execute("UPDATE provider SET provider_id = $1 WHERE provider_id = $2", other := uuid4(), provider)
    await notifier.start()
    patient = await notifier.patient(mobile=None, email=None)
    visit = await notifier.book(patient, provider)
    await notifier.settled(visit, "confirmation", "skipped")
    await notifier.settled(visit, "provider-booked", "skipped")
    await notifier.pool.execute(NAMES_NOBODY)
    await notifier.execute("UPDATE provider SET provider_id = $2 WHERE provider_id = $1", other, provider)
    async with notifier.pool.transaction(isolation="read_committed") as connection:
        store = PostgresFanoutStore(connection, None, notifier.peppers)
        await on_people(store, [str(provider)], notifier.settings().sending, notifier.now)
    await notifier.register(patient)

    await notifier.settled(visit, "provider-booked", "accepted")
    assert (await notifier.settled(visit, "confirmation", "accepted"))["recipient_id"] == patient


async def test_a_reminder_that_nobody_could_get_leaves_when_the_contact_comes(notifier: RunningNotifier) -> None:
    await notifier.start()
    patient, visit = await unreached(notifier)
    await notifier.due(visit)
    assert (await notifier.settled(visit, "reminder", "skipped"))["reason"] == Reason.NO_CONTACT
    await notifier.register(patient)

    await notifier.settled(visit, "reminder", "accepted")
    told = [one.outcome.value for one in await notifier.outcomes() if one.kind.value == "reminder"]
    assert told == ["skipped", "accepted"]


async def test_d36_what_an_opt_out_kept_back_is_told_once_it_is_taken_back(notifier: RunningNotifier) -> None:
    await notifier.start(**secrets())
    by_text, by_staff = await notifier.patient(email=None), await notifier.patient(email=None)
    mobiles = [await notifier.address(one, "mobile") for one in (by_text, by_staff)]
    for mobile in mobiles:
        assert (await sms(notifier, mobile, "STOP", f"SM-stop-{mobile}")).status_code == 200
    visits = [await notifier.book(one) for one in (by_text, by_staff)]
    for visit in visits:
        assert (await notifier.settled(visit, "confirmation", "skipped"))["reason"] == Reason.OPTED_OUT
    assert (await sms(notifier, mobiles[0], "START")).status_code == 200
    await notifier.settled(visits[0], "confirmation", "accepted")
    await notifier.settled(visits[1], "confirmation", "skipped")
    lifting = {"address": mobiles[1], "by": "A. Abara"}
    assert (await notifier.ask("POST", "/v1/opt-outs/lift", json=lifting)).status_code == 200

    await notifier.settled(visits[1], "confirmation", "accepted")


async def test_d36_whose_visit_it_is_no_more_hears_so_once_his_opt_out_is_taken_back(notifier: RunningNotifier) -> None:
    await notifier.start(**secrets())
    ann, ben = await notifier.patient(email=None), await notifier.patient(mobile=None)
    mobile = await notifier.address(ann, "mobile")
    visit = await notifier.book(ann)
    await notifier.settled(visit, "confirmation", "accepted")
    assert (await sms(notifier, mobile, "STOP", "SM-stop")).status_code == 200
    given = await notifier.change(visit, patient_id=ben)
    assert (await notifier.settled(given, "cancelled", "skipped"))["reason"] == Reason.OPTED_OUT
    assert (await sms(notifier, mobile, "START")).status_code == 200
    await notifier.settled(given, "cancelled", "queued")
    notifier.step(timedelta(minutes=2, seconds=1))

    assert (await notifier.settled(given, "cancelled", "accepted"))["recipient_id"] == ann


async def test_d57_what_was_refused_because_of_a_stop_is_told_once_he_starts_again(notifier: RunningNotifier) -> None:
    await notifier.start(**secrets())
    patient = await notifier.patient(email=None)
    mobile = await notifier.address(patient, "mobile")
    notifier.carriers.script(mobile, 21610)
    visit = await notifier.book(patient)
    refused = await notifier.settled(visit, "confirmation", "skipped")
    assert (refused["reason"], refused["attempts"]) == (Reason.OPTED_OUT, 1)
    assert await notifier.pool.fetchval("SELECT outcome FROM attempt") == "rejected"
    assert (await sms(notifier, mobile, "START")).status_code == 200

    assert (await notifier.settled(visit, "confirmation", "accepted"))["attempts"] == 2


async def test_a_start_that_takes_nothing_back_wakes_nothing(notifier: RunningNotifier) -> None:
    await notifier.start(**secrets())
    patient = await notifier.patient(email=None)
    mobile = await notifier.address(patient, "mobile")
    assert (await sms(notifier, mobile, "STOP", "SM-stop")).status_code == 200
    visit = await notifier.book(patient)
    await notifier.settled(visit, "confirmation", "skipped")
    await notifier.pool.execute("DELETE FROM opt_out")
    assert (await sms(notifier, mobile, "START")).status_code == 200

    await notifier.settled(visit, "confirmation", "skipped")


async def test_what_no_channel_was_left_for_is_told_once_one_is_on_again(notifier: RunningNotifier) -> None:
    await notifier.start()
    patient = await notifier.patient()
    preferences, off = f"/v1/patients/{patient}/preferences", {"whatsapp": False, "sms": False, "email": False}
    await notifier.ask("PUT", preferences, json=off)
    visit = await notifier.book(patient)
    assert (await notifier.settled(visit, "confirmation", "skipped"))["reason"] == Reason.CHANNELS_DISABLED
    await notifier.ask("PUT", preferences, json=off | {"email": True})

    await notifier.settled(visit, "confirmation", "accepted")


async def test_only_those_are_waited_for_to_whom_a_message_waits_or_about_whom_somebody_decides(
    notifier: RunningNotifier,
) -> None:
    await notifier.start()
    patient, _ = await unreached(notifier)
    everybody = [str(patient), *(str(uuid4()) for _ in range(2_000))]
    async with notifier.pool.transaction(isolation="read_committed") as connection:
        store = PostgresFanoutStore(connection, None, notifier.peppers)
        alone = await store.concerned(everybody, notifier.now)
        async with notifier.pool.transaction(isolation="read_committed") as other:
            await PostgresFanoutStore(other, None, notifier.peppers).take_turns([everybody[1]])
            beside = await store.concerned(everybody, notifier.now)
        over = await store.concerned(everybody, notifier.now + timedelta(days=30))

    assert alone == {str(patient)}
    assert {str(patient), everybody[1]} <= set(beside)
    assert len(beside) < 40  # those who share a lock with him
    assert over == set()


async def test_who_brings_a_contact_waits_for_whoever_is_finding_it_missing(notifier: RunningNotifier) -> None:
    await notifier.start()
    patient = await notifier.patient(mobile=None, email=None)
    async with notifier.pool.transaction(isolation="read_committed") as other:
        await PostgresFanoutStore(other, None, notifier.peppers).take_turns([str(patient)])

        async def brings() -> None:
            async with notifier.pool.transaction(isolation="read_committed") as connection:
                store = PostgresFanoutStore(connection, None, notifier.peppers)
                await on_people(store, [str(patient)], notifier.settings().sending, notifier.now)

        bringing = asyncio.create_task(brings())
        await until(lambda: _waited_for(notifier))
        assert not bringing.done()
    await bringing


async def test_who_brings_a_contact_takes_all_turns_before_he_locks_a_message(notifier: RunningNotifier) -> None:
    """Else he and one who has the turn and wants the message wait for each other, and one of them fails."""
    await notifier.start()
    patient = await notifier.patient(mobile=None, email=None)
    provider = next(one for one in iter(uuid4, None) if _turn(str(one)) != _turn(str(patient)))
    visit = await notifier.book(patient, provider)
    await notifier.settled(visit, "confirmation", "skipped")
    await notifier.settled(visit, "provider-booked", "skipped")
    async with notifier.pool.transaction(isolation="read_committed") as other:
        await PostgresFanoutStore(other, None, notifier.peppers).take_turns([str(provider)])

        async def brings() -> None:
            async with notifier.pool.transaction(isolation="read_committed") as connection:
                store = PostgresFanoutStore(connection, None, notifier.peppers)
                await on_people(store, [str(patient)], notifier.settings().sending, notifier.now)

        bringing = asyncio.create_task(brings())
        await until(lambda: _waited_for(notifier))
        assert await other.fetch("SELECT notification_id FROM notification FOR UPDATE NOWAIT")
    await bringing


async def _waited_for(notifier: RunningNotifier) -> bool:
    return bool(await notifier.pool.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))


async def test_what_the_release_before_told_is_found_out_in_portions_and_once(notifier: RunningNotifier) -> None:
    provider = await notifier.provider()
    service = await notifier.start()
    visits = [await notifier.book(await notifier.patient(), provider) for _ in range(5)]
    for visit in visits:
        await notifier.settled(visit, "confirmation", "accepted")
        await notifier.settled(visit, "provider-booked", "accepted")
    _, waits = await unreached(notifier)
    columns = "notification_id, recipient_id, said_starts_at"
    query = f"SELECT {columns} FROM notification WHERE accepted_at IS NOT NULL ORDER BY notification_id"  # noqa: S608
    before = await notifier.pool.fetch(query)
    await notifier.pool.execute(NAMES_NOBODY)
    walk = ToldBefore(notifier.pool, service.lanes[0]._clock, portion=2)

    assert (await walk.walk(), await walk.walk()) == (11, 0)
    assert await notifier.pool.fetch(query) == before
    assert (await notifier.settled(waits, "confirmation", "skipped"))["recipient_id"] is not None


async def test_what_the_release_before_told_is_known_before_a_topic_is_read(notifier: RunningNotifier) -> None:
    """A visit that is given to another patient while the release is changed: the first is told that it is not his."""
    ann, ben = await notifier.patient(mobile=None), await notifier.patient(mobile=None)
    stop = await notifier.process("run")
    visit = await notifier.book(ann)
    await notifier.settled(visit, "confirmation", "accepted")
    stop.terminate()
    await stop.wait()
    await notifier.pool.execute(NAMES_NOBODY)
    given = await notifier.change(visit, patient_id=ben)
    await notifier.start()
    await notifier.settled(given, "cancelled", "queued")
    notifier.step(timedelta(minutes=2, seconds=1))

    assert (await notifier.settled(given, "cancelled", "accepted"))["recipient_id"] == ann
    assert given.status is Status.BOOKED
    assert given.starts_at == MONDAY + timedelta(days=2)
