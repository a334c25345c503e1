"""A container killed, frozen or cut off: what was booked still has everything that follows, once."""

import asyncio
import contextlib
from datetime import timedelta

import httpx2

from stack.demo.client import Refused
from stack.demo.drive import NotIdle
from tests.containers.containers import SERVICES, compose, container, cut_off, healthy, kill_9, paused, restarted
from tests.support.practice import Person, Practice, Visit

AHEAD = timedelta(days=3)


async def book(practice: Practice, patient: Person, *, patience_s: float = 180) -> Visit:
    """Book, and on no answer or a temporary refusal post the same event again until it is taken (G1)."""
    mark = practice.mark()
    event = {
        "event_id": f"e-{mark}",
        "appointment": {
            "id": f"a-{mark}",
            "status": "booked",
            "patient": {"id": patient.source_id},
            "clinic": practice.clinic,
            "provider": {"id": practice.provider},
            "start": (practice.now + AHEAD).isoformat(),
        },
    }
    async with asyncio.timeout(patience_s):
        while True:
            try:
                answer = await practice.client.ask("booking", "POST", "/v1/events", event)
                return Visit(f"a-{mark}", answer["appointment_id"], practice.now + AHEAD, {})
            except httpx2.TransportError:
                await asyncio.sleep(0.2)
            except Refused as refused:
                if refused.status < 500:
                    raise
                await asyncio.sleep(0.2)


async def settled(practice: Practice, patience_s: float = 300) -> None:
    """Wait until everything that follows has happened, as long as a server may take to come back."""
    async with asyncio.timeout(patience_s):
        while True:
            with contextlib.suppress(NotIdle):
                return await practice.settle()


async def assert_everything_followed(
    practice: Practice, visits: list[tuple[Person, Visit]], *, calls_cut: bool = False
) -> None:
    """Everything that a booking leads to is there once; a mail whose call was cut may be missing (G5)."""
    await settled(practice)
    for patient, visit in visits:
        assert patient.id is not None
        assert len(await practice.client.sub_files_of(patient.id)) == 1
        assert await practice.outcomes(visit) == {"24h": ("SCHEDULED", None), "2h": ("SCHEDULED", None)}
        assert len(await practice.notices(visit)) == 1
        assert await practice.channels(patient) in ([["email"], []] if calls_cut else [["email"]])


async def test_r43_kill_9_of_every_service_in_turn_loses_and_doubles_nothing(practice: Practice) -> None:
    patients = [await practice.new_patient() for _ in range(2 * len(SERVICES))]
    before = {service: container(service)["RestartCount"] for service in SERVICES}
    visits = []
    for service, one, other in zip(SERVICES, patients[::2], patients[1::2], strict=True):
        visits.append((one, await book(practice, one)))
        kill_9(service)
        visits.append((other, await book(practice, other)))
    for service in SERVICES:
        await restarted(service, before[service])
    await assert_everything_followed(practice, visits, calls_cut=True)


async def test_a_frozen_database_delays_and_nothing_more(practice: Practice) -> None:
    patient = await practice.new_patient()
    async with paused("postgres"):
        booking = asyncio.create_task(book(practice, patient))
        await asyncio.sleep(5)
        assert not booking.done()
    await assert_everything_followed(practice, [(patient, await booking)])


async def test_a_service_cut_off_from_kafka_takes_up_again_where_it_was(practice: Practice) -> None:
    patient = await practice.new_patient()
    assert patient.id is not None
    await settled(practice)
    async with cut_off("records", "kafka"):
        visit = await book(practice, patient)
        await asyncio.sleep(5)
        assert await practice.client.sub_files_of(patient.id) == []
    await assert_everything_followed(practice, [(patient, visit)])


async def test_r32_a_frozen_broker_holds_up_no_booking(practice: Practice) -> None:
    patient = await practice.new_patient()
    async with paused("kafka"):
        visit = await book(practice, patient, patience_s=60)
        await asyncio.sleep(5)
    await assert_everything_followed(practice, [(patient, visit)])


async def test_kill_9_of_kafka_delays_and_nothing_more(practice: Practice) -> None:
    patient = await practice.new_patient()
    compose("kill", "-s", "KILL", "kafka")
    visit = await book(practice, patient, patience_s=60)
    compose("start", "kafka")
    await healthy("kafka")
    await assert_everything_followed(practice, [(patient, visit)])
