"""What waits follows the visit, and what was closed is said after all when it is so again."""

from dataclasses import replace
from datetime import timedelta

from notifier.fanout.domain.news import Twin
from notifier.ledger.domain.states import NotificationState
from notifier.ledger.view import see
from schemas.appointments import IngestMode, Status
from schemas.notifications import Kind
from tests.support.notifier.builders import APPOINTMENT, NOW, PATIENT, visit
from tests.unit.notifier.fanout.memory import Memory
from tests.unit.notifier.fanout.test_news import BEN, DR_2, NEXT_WEEK, OTHER, confirmed, person


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


async def test_what_was_refused_for_now_and_closed_told_nobody_and_is_said_after_all() -> None:
    memory = Memory(persons={one: person(one) for one in (PATIENT, BEN)})
    await memory.change(patient_id=BEN)
    [refused] = [one for one in memory.ledger.values() if one.recipient == "patient"]
    memory.ledger[refused.notification_id] = replace(refused, attempts=1, step_attempts=1, step_began_at=NOW)
    await memory.change(patient_id=PATIENT)
    await memory.change(patient_id=BEN)
    again = memory.ledger[refused.notification_id]

    assert (again.state, again.attempts, again.step_attempts, again.step_began_at) == (
        NotificationState.QUEUED, 1, 0, None,
    )  # fmt: skip
    assert await memory.leave() == [Kind.CONFIRMATION]


async def test_d37_a_visit_booked_again_beside_the_one_in_its_place_is_confirmed_and_not_moved() -> None:
    memory = await confirmed()
    gone, new = replace(visit(), status=Status.CANCELLED, version=2), visit(appointment_id=OTHER, starts_at=NEXT_WEEK)
    memory.visits |= {APPOINTMENT: gone, OTHER: new}
    memory.twin = [Twin(OTHER, APPOINTMENT, Status.BOOKED, Status.CANCELLED)]
    await memory.read(gone)
    await memory.read(new)
    assert await memory.leave(timedelta(0)) == [Kind.MOVED]
    memory.visits[APPOINTMENT], memory.twin = visit(version=3, schedule_gen=2), []
    await memory.read(memory.visits[APPOINTMENT])

    assert await memory.leave(timedelta(0)) == [Kind.CONFIRMATION]


async def test_d37_another_visit_booked_at_the_same_time_is_confirmed_and_takes_the_place_all_the_same() -> None:
    memory = await confirmed()
    gone, new = replace(visit(), status=Status.CANCELLED, version=2), visit(appointment_id=OTHER)
    memory.visits |= {APPOINTMENT: gone, OTHER: new}
    memory.twin = [Twin(OTHER, APPOINTMENT, Status.BOOKED, Status.CANCELLED)]
    await memory.read(gone)
    await memory.read(new)

    assert await memory.leave() == [Kind.CONFIRMATION]
    assert memory.open == []


async def test_d43_what_was_cancelled_as_history_and_is_booked_has_not_moved() -> None:
    memory = Memory()
    await memory.change(mode=IngestMode.BACKFILL)
    await memory.change(status=Status.CANCELLED, mode=IngestMode.BACKFILL)
    await memory.change(status=Status.BOOKED, starts_at=NEXT_WEEK, schedule_gen=2)

    assert await memory.leave(timedelta(0)) == [Kind.CONFIRMATION]
