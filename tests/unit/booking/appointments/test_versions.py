"""What one event makes of one appointment (D40-D43)."""

from datetime import timedelta
from typing import Any

import pytest

from booking.appointments.domain.batch import Batch, EventAnswer
from booking.appointments.domain.state import AppointmentState, Result
from booking.appointments.domain.versions import decide
from booking.values.refusals import ILLEGAL_TRANSITION
from booking.values.warned import Warned
from schemas.appointments import IngestMode, Status
from schemas.wire import provider_id
from tests.support.booking.builders import ANN, HOUR, NOW, START, VISIT, batch, change, command


def state(taken: Batch) -> AppointmentState:
    return taken.changed[VISIT]


def refusal(answer: EventAnswer) -> str:
    assert answer.refusal is not None
    return answer.refusal.code


def test_d40_the_first_booking_is_version_one_of_schedule_one() -> None:
    booked = batch()
    answer = booked.take(command())
    assert answer.result is Result.APPLIED
    held = state(booked)
    assert (held.version, held.schedule_gen, held.schedule_set_at) == (1, 1, NOW)
    assert (held.patient, held.clinic_id, held.provider_id) == (ANN, "EYE", provider_id("local", "dr-who"))
    assert held.first_booked_at == NOW
    assert held.caused_by == "local/e1"


def test_d41_the_same_event_again_has_the_same_answer_and_one_effect() -> None:
    booked = batch()
    first, again = booked.take(command()), booked.take(command())
    assert again.result is Result.REPEAT
    assert again.recorded == first.recorded
    assert len(booked.versions) == 1


def test_d41_the_same_event_id_with_another_body_is_a_conflict() -> None:
    booked = batch()
    booked.take(command())
    assert refusal(booked.take(command(status=Status.CANCELLED))) == "EVENT_ID_CONFLICT"


def test_another_event_that_says_nothing_new_makes_no_version() -> None:
    booked = batch()
    booked.take(command("e1"))
    assert booked.take(command("e2")).result is Result.REPEAT
    assert state(booked).version == 1


def test_d41_an_event_older_than_what_is_known_is_stale_and_changes_nothing() -> None:
    booked = batch()
    booked.take(command("e2", sequence=2))
    answer = booked.take(change("e1", Status.CANCELLED, sequence=1))
    assert answer.result is Result.STALE
    assert state(booked).status is Status.BOOKED


def test_without_a_sequence_the_last_updated_time_decides() -> None:
    booked = batch()
    booked.take(command("e2", occurred_at=NOW))
    assert booked.take(change("e1", Status.CANCELLED, occurred_at=NOW - HOUR)).result is Result.STALE
    assert booked.take(change("e3", Status.CANCELLED, occurred_at=NOW + HOUR)).result is Result.APPLIED


def test_equal_last_updated_times_say_nothing_and_arrival_decides() -> None:
    booked = batch()
    booked.take(command("e1", occurred_at=NOW))
    assert booked.take(change("e2", Status.CANCELLED, occurred_at=NOW)).result is Result.APPLIED


def test_a_replayed_event_without_an_order_stands_where_it_first_came_and_does_not_revive_a_visit() -> None:
    booked = batch()
    booked.take(command("e1"))
    cancelled = batch(known=booked, now=NOW + 2 * HOUR)
    cancelled.take(change("e3", Status.CANCELLED))
    late = batch(known=cancelled, now=NOW + 9 * HOUR)

    moved = change("e2", starts_at=START + HOUR, arrived_at=NOW + HOUR)

    assert late.take(moved).result is Result.STALE
    assert not late.versions


def test_replays_in_the_order_of_their_arrival_all_count_whenever_they_are_made() -> None:
    late = batch(now=NOW + 9 * HOUR)
    answers = [
        late.take(command("e1", arrived_at=NOW)),
        late.take(change("e2", starts_at=START + HOUR, arrived_at=NOW + HOUR)),
        late.take(change("e3", Status.CANCELLED, arrived_at=NOW + 2 * HOUR)),
    ]
    assert [answer.result for answer in answers] == [Result.APPLIED] * 3
    assert state(late).status is Status.CANCELLED
    assert state(late).ingest_time == NOW + 9 * HOUR


def test_within_one_batch_which_has_one_instant_the_place_in_the_topic_decides() -> None:
    booked = batch()
    booked.take(command("e1", arrived_offset=4))
    booked.take(change("e3", Status.CANCELLED, arrived_offset=6))
    late = batch(known=booked, now=NOW + 9 * HOUR)
    moved = change("e2", starts_at=START + HOUR, arrived_at=NOW, arrived_offset=5)
    assert late.take(moved).result is Result.STALE
    after = change("e4", starts_at=START + HOUR, arrived_at=NOW, arrived_offset=7)
    assert late.take(after).result is Result.APPLIED


def test_an_event_that_comes_now_is_never_held_against_its_place_in_a_topic_that_was_made_anew() -> None:
    booked = batch()
    booked.take(command("e1", arrived_offset=4_000))
    assert booked.take(change("e2", Status.CANCELLED, arrived_offset=0)).result is Result.APPLIED


def test_replays_in_another_order_end_as_they_came() -> None:
    late = batch(now=NOW + 9 * HOUR)
    late.take(command("e1", arrived_at=NOW))
    late.take(change("e3", Status.CANCELLED, arrived_at=NOW + 2 * HOUR))
    assert late.take(change("e2", starts_at=START + HOUR, arrived_at=NOW + HOUR)).result is Result.STALE
    assert state(late).status is Status.CANCELLED


def test_what_gives_an_order_of_its_own_is_ordered_by_that_when_it_is_replayed_too() -> None:
    booked = batch()
    booked.take(command("e1", sequence=1))
    late = batch(known=booked, now=NOW + 9 * HOUR)
    assert late.take(change("e2", Status.CANCELLED, sequence=2, arrived_at=NOW - HOUR)).result is Result.APPLIED


def test_bookings_own_changes_say_nothing_of_what_came_from_outside() -> None:
    booked = batch()
    booked.take(command("e1"))
    reissued = state(booked)._replace(version=2, ingest_time=NOW + 5 * HOUR)
    decided = decide(reissued, change("e2", Status.CANCELLED, arrived_at=NOW + HOUR), None, None, NOW + 9 * HOUR)
    assert decided.result is Result.APPLIED


def test_a_row_from_before_arrivals_were_kept_goes_by_when_it_was_taken() -> None:
    booked = batch()
    booked.take(command("e1"))
    old = state(booked)._replace(arrived_at=None)
    for arrived, result in ((NOW - HOUR, Result.STALE), (NOW + HOUR, Result.APPLIED)):
        replayed = change("e2", Status.CANCELLED, arrived_at=arrived)
        assert decide(old, replayed, None, None, NOW + 9 * HOUR).result is result


def test_d41_the_same_sequence_with_other_content_is_a_conflict() -> None:
    booked = batch()
    booked.take(command("e1", sequence=1))
    assert refusal(booked.take(change("e2", Status.CANCELLED, sequence=1))) == "SEQUENCE_CONFLICT"


def test_the_same_sequence_with_the_same_content_is_a_repeat() -> None:
    booked = batch()
    booked.take(command("e1", sequence=1))
    assert booked.take(command("e2", sequence=1)).result is Result.REPEAT


def test_a_repeat_moves_the_order_on_so_that_what_lies_between_is_stale() -> None:
    booked = batch()
    booked.take(command("e1", sequence=1))
    booked.take(command("e3", sequence=3))
    assert booked.take(change("e2", Status.CANCELLED, sequence=2)).result is Result.STALE


def test_d41_cancel_before_book_is_a_tombstone_and_the_book_is_stale() -> None:
    booked = batch()
    assert booked.take(command("e2", status=Status.CANCELLED, sequence=2)).result is Result.TOMBSTONE
    assert booked.take(command("e1", sequence=1)).result is Result.STALE
    assert booked.versions == []


def test_a_book_without_an_order_does_not_lift_a_tombstone() -> None:
    booked = batch()
    booked.take(change("e2", Status.CANCELLED))
    assert booked.take(command("e1")).result is Result.STALE


def test_d43_history_that_was_cancelled_is_kept_as_it_was() -> None:
    imported = batch()
    answer = imported.take(command(status=Status.CANCELLED, mode=IngestMode.BACKFILL, reason="unwell"))
    held = state(imported)
    assert (answer.result, held.version, held.status) == (Result.APPLIED, 1, Status.CANCELLED)
    assert (held.patient, held.clinic_id, held.starts_at, held.reason) == (ANN, "EYE", START, "unwell")
    assert held.first_booked_at is None
    assert (
        imported.take(command("e2", status=Status.CANCELLED, mode=IngestMode.BACKFILL, reason="unwell")).result
        is Result.REPEAT
    )


@pytest.mark.parametrize("given", [{"patient": None}, {"clinic": None}, {"mode": IngestMode.LIVE}])
def test_d41_a_cancellation_that_is_live_or_says_not_whose_it_was_stays_a_tombstone(given: dict[str, Any]) -> None:
    taken = batch()
    answer = taken.take(command(**{"status": Status.CANCELLED, "mode": IngestMode.BACKFILL, **given}))
    assert (answer.result, state(taken).version) == (Result.TOMBSTONE, 0)


def test_a_newer_book_lifts_a_tombstone() -> None:
    booked = batch()
    booked.take(change("e1", Status.CANCELLED, sequence=1))
    assert booked.take(command("e2", sequence=2)).result is Result.APPLIED
    assert state(booked).version == 1


def test_fields_that_an_event_does_not_mention_stay() -> None:
    booked = batch()
    booked.take(command())
    booked.take(change("e2", Status.CANCELLED))
    held = state(booked)
    assert (held.status, held.starts_at, held.clinic_id, held.patient) == (Status.CANCELLED, START, "EYE", ANN)


def test_a_provider_can_be_taken_away() -> None:
    booked = batch()
    booked.take(command())
    booked.take(change("e2", provider=None))
    assert state(booked).provider_id is None


def test_d10_a_move_raises_the_schedule_and_keeps_the_length_of_the_visit() -> None:
    booked = batch()
    booked.take(command())
    later = batch(known=booked, now=NOW + HOUR)
    later.take(change("e2", starts_at=START + timedelta(days=1)))
    held = state(later)
    assert (held.schedule_gen, held.schedule_set_at) == (2, NOW + HOUR)
    assert held.ends_at == START + timedelta(days=1) + HOUR


def test_another_clinic_raises_the_schedule() -> None:
    booked = batch()
    booked.take(command())
    booked.take(change("e2", clinic="ENT"))
    assert state(booked).schedule_gen == 2


def test_d10_a_cancel_keeps_the_schedule_and_an_uncancel_raises_it() -> None:
    booked = batch()
    booked.take(command())
    booked.take(change("e2", Status.CANCELLED))
    assert state(booked).schedule_gen == 1
    booked.take(change("e3", Status.BOOKED))
    assert state(booked).schedule_gen == 2


def test_from_the_waitlist_to_booked_the_schedule_begins_anew() -> None:
    booked = batch()
    booked.take(command(status=Status.WAITLIST))
    assert state(booked).first_booked_at is None
    booked.take(change("e2", Status.BOOKED))
    assert (state(booked).schedule_gen, state(booked).first_booked_at) == (2, NOW)


def test_d3_first_booked_at_stays_whatever_follows() -> None:
    booked = batch()
    booked.take(command(occurred_at=NOW - HOUR))
    booked.take(change("e2", Status.CANCELLED, occurred_at=NOW))
    assert state(booked).first_booked_at == NOW - HOUR


def test_d11_another_provider_or_the_confirmed_flag_leave_the_schedule() -> None:
    booked = batch()
    booked.take(command())
    booked.take(change("e2", provider="dr-no", confirmed=True))
    assert (state(booked).schedule_gen, state(booked).confirmed) == (1, True)


def test_r33_a_step_that_the_state_table_lacks_is_accepted_with_a_warning() -> None:
    booked = batch()
    booked.take(command())
    booked.take(change("e2", Status.FULFILLED))
    answer = booked.take(change("e3", Status.PROPOSED))
    assert answer.recorded is not None
    assert (answer.result, answer.recorded.warnings) == (Result.APPLIED, (Warned(ILLEGAL_TRANSITION),))


def test_d42_a_correction_with_a_reason_is_no_illegal_step() -> None:
    booked = batch()
    booked.take(command())
    booked.take(change("e2", Status.FULFILLED))
    answer = booked.take(change("e3", Status.BOOKED, reason="entered for the wrong visit"))
    assert answer.recorded is not None
    assert answer.recorded.warnings == ()


def test_d43_backfill_marks_the_version() -> None:
    booked = batch()
    booked.take(command(mode=IngestMode.BACKFILL))
    assert state(booked).mode is IngestMode.BACKFILL


@pytest.mark.parametrize(
    ("without", "code"),
    [("patient", "PATIENT_REQUIRED"), ("clinic", "CLINIC_REQUIRED"), ("starts_at", "START_REQUIRED")],
)
def test_a_first_event_is_complete(without: str, code: str) -> None:
    booked = batch()
    missing: dict[str, Any] = {without: None, "ends_at": None}
    answer = booked.take(command(**missing))
    assert refusal(answer) == code
    assert (booked.changed, booked.versions, booked.recorded_events) == ({}, [], {})


def test_a_proposal_needs_no_start() -> None:
    assert batch().take(command(status=Status.PROPOSED, starts_at=None, ends_at=None)).result is Result.APPLIED


def test_an_end_before_the_start_is_dropped_and_the_visit_keeps_its_length() -> None:
    booked = batch()
    booked.take(command())
    later = START + 24 * HOUR
    answer = booked.take(change("e2", starts_at=later, ends_at=START))
    [warned] = answer.warnings
    assert (warned.code, warned.place) == ("DETAIL_DROPPED", "appointment.end")
    assert (state(booked).starts_at, state(booked).ends_at) == (later, later + HOUR)


def test_an_end_at_the_start_is_none_and_said() -> None:
    booked = batch()
    answer = booked.take(command(ends_at=START))
    assert [(w.code, w.place) for w in answer.warnings] == [("END_IS_START", "appointment.end")]
    assert (state(booked).starts_at, state(booked).ends_at) == (START, None)


def test_a_clinic_that_nobody_knows_is_essential_where_a_visit_stands_and_else_a_detail() -> None:
    booked = batch()
    assert refusal(booked.take(command(clinic="NONE"))) == "UNKNOWN_CLINIC"
    booked.take(command("e2"))
    assert refusal(booked.take(command("e4", clinic="NONE"))) == "UNKNOWN_CLINIC"
    answer = booked.take(change("e3", Status.CANCELLED, clinic="NONE"))
    assert [(w.code, w.place) for w in answer.warnings] == [("DETAIL_DROPPED", "appointment.clinic")]
    assert (state(booked).status, state(booked).clinic_id) == (Status.CANCELLED, "EYE")


def test_a_refused_event_may_be_sent_again_and_be_taken_then() -> None:
    booked = batch(new=["v1"])
    booked.take(command(clinic="NOWHERE"))
    assert booked.unused() == [("local", "v1")]
    assert booked.take(command("e1")).result is Result.APPLIED
    assert booked.unused() == []


@pytest.mark.parametrize(
    "status", sorted(set(Status) - {Status.BOOKED, Status.PROPOSED, Status.PENDING, Status.WAITLIST})
)
@pytest.mark.parametrize("times", [{}, {"starts_at": None, "ends_at": None}, {"starts_at": None}, {"ends_at": None}])
def test_what_became_of_a_visit_takes_no_time_away_from_it(status: Status, times: dict[str, None]) -> None:
    booked = batch()
    booked.take(command("e1", ends_at=START + HOUR))
    booked.take(change("e2", status, reason="told", **times))
    held = state(booked)
    assert (held.status, held.starts_at, held.ends_at) == (status, START, START + HOUR)


@pytest.mark.parametrize("status", [Status.PROPOSED, Status.PENDING, Status.WAITLIST])
def test_a_visit_that_waits_for_its_time_loses_the_one_it_had(status: Status) -> None:
    booked = batch()
    booked.take(command("e1", ends_at=START + HOUR))
    booked.take(change("e2", status, starts_at=None, ends_at=None))
    assert (state(booked).starts_at, state(booked).ends_at) == (None, None)


def test_a_booked_visit_cannot_lose_its_start_but_may_lose_its_end() -> None:
    booked = batch()
    booked.take(command("e1", ends_at=START + HOUR))
    assert refusal(booked.take(change("e2", starts_at=None))) == "START_REQUIRED"
    booked.take(change("e3", ends_at=None))
    assert (state(booked).starts_at, state(booked).ends_at) == (START, None)
