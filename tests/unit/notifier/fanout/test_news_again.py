"""What waits follows the visit, and what was closed is said after all when it is so again."""

from dataclasses import replace
from datetime import timedelta

from notifier.ledger.domain.states import NotificationState
from notifier.ledger.view import see
from schemas.appointments import IngestMode, Status
from schemas.notifications import Kind
from tests.support.notifier.builders import APPOINTMENT, PATIENT, visit
from tests.unit.notifier.fanout.memory import Memory
from tests.unit.notifier.fanout.test_news import BEN, DR_2, NEXT_WEEK, confirmed, person


async def test_what_waits_for_a_contact_waits_until_the_start_that_is_so_now() -> None:
    memory = Memory()
    await memory.change(mobile=None, email=None)
    await memory.change(starts_at=NEXT_WEEK, schedule_gen=2)
    memory.now = NEXT_WEEK - timedelta(days=2)
    memory.visits[APPOINTMENT] = visit(starts_at=NEXT_WEEK, schedule_gen=2, version=2)
    await memory.come(PATIENT)

    assert await memory.leave() == [Kind.CONFIRMATION]


async def test_what_waits_for_a_provider_waits_for_the_one_that_is_named_later() -> None:
    memory = Memory()
    await memory.change(provider_id=None, provider_name=None)
    await memory.change(provider_id=DR_2, provider_name=None)
    memory.visits[APPOINTMENT] = replace(memory.visits[APPOINTMENT], provider_name="Dr")
    await memory.come(DR_2)

    assert memory.notices == [(DR_2, Kind.PROVIDER_BOOKED)]


async def test_what_waits_for_a_patient_waits_for_the_one_he_was_merged_into() -> None:
    memory = Memory()
    await memory.change(mobile=None, email=None)
    memory.visits[APPOINTMENT] = replace(memory.visits[APPOINTMENT], patient_id=BEN)
    memory.persons[PATIENT] = person(BEN, mobile=None, email=None)
    await memory.come(PATIENT, BEN)
    memory.visits[APPOINTMENT] = visit(patient_id=BEN)
    memory.persons[PATIENT] = person(BEN)
    await memory.come(BEN)

    assert await memory.leave() == [Kind.CONFIRMATION]


async def test_a_visit_given_away_and_back_before_anything_left_is_confirmed() -> None:
    memory = Memory(persons={one: person(one) for one in (PATIENT, BEN)})
    await memory.change()
    await memory.change(patient_id=BEN)
    await memory.change(patient_id=PATIENT)

    assert await memory.leave() == [Kind.CONFIRMATION]


async def test_d43_what_was_closed_is_not_said_after_all_by_imported_history() -> None:
    memory = Memory(persons={one: person(one) for one in (PATIENT, BEN)})
    await memory.change()
    await memory.change(patient_id=BEN)
    await memory.change(patient_id=PATIENT, mode=IngestMode.BACKFILL)

    assert await memory.leave() == []


async def test_a_visit_given_away_back_and_away_again_is_taken_back_from_the_first() -> None:
    memory = await confirmed()
    for patient in (BEN, PATIENT, BEN):
        await memory.change(patient_id=patient)

    assert sorted(await memory.leave()) == [Kind.CANCELLED, Kind.CONFIRMATION]


async def test_a_cancellation_names_no_clinic_that_the_patient_was_not_told_of() -> None:
    memory = await confirmed()
    told_at = memory.visits[APPOINTMENT].starts_at
    await memory.change(clinic_id="SOUTH", clinic_name="South", starts_at=NEXT_WEEK, schedule_gen=2)
    await memory.change(status=Status.CANCELLED)
    queued = [one for one in memory.ledger.values() if one.state is NotificationState.QUEUED]
    [seen] = (await see(memory, queued, memory.now)).values()

    assert seen.visit is not None
    assert (seen.visit.starts_at, seen.visit.clinic_sensitive) == (told_at, True)
