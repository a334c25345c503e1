"""The state table: whose step is what, and what becomes of one that the table lacks (R33, D42)."""

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from booking.appointments.domain.batch import Batch, EventAnswer
from booking.appointments.domain.command import BookAppointment, SeenAtDesk
from booking.appointments.domain.state import Result
from booking.appointments.domain.statuses import CAN_STILL_CHANGE
from booking.appointments.domain.transitions import (
    CAME,
    FREE_FROM,
    OBSERVED,
    STATUSES,
    TABLE,
    Actor,
    Step,
    StepRules,
    Taken,
    judge,
    step_of,
)
from booking.appointments.look_up import with_doubtful_steps
from booking.check_ins.domain import CheckInAtDesk
from booking.no_shows.domain import not_attended
from booking.values.refusals import Refused
from schemas.appointments import IngestMode, Status
from tests.support.booking.builders import LOCAL, NOW, START, VISIT, batch, change, command

ENFORCED, CORRECTS = StepRules(is_enforced=True), StepRules(is_enforced=True, may_correct=True)
FACTS = CAME | {Status.NOSHOW}
REQUESTS = {Status.PROPOSED, Status.PENDING, Status.WAITLIST}
WARNED = ("ILLEGAL_TRANSITION",)


def strict(known: Batch | None = None, *, may_correct: bool = False) -> Batch:
    taken = batch(replace(LOCAL, may_correct=may_correct), known, now=NOW + timedelta(hours=1))
    taken.known = replace(taken.known, enforced={"local"})
    return taken


def held_as(*statuses: Status) -> Batch:
    """Return a batch that has taken these steps, whatever the table says of them."""
    taken = batch()
    for number, status in enumerate(statuses):
        make = command if number == 0 else change
        taken.take(make(f"held-{number}", status=status))
    return taken


def codes(answer: EventAnswer) -> list[str]:
    return [warned.code for warned in answer.warnings]


def test_the_table_has_every_step_of_everybody_and_staying_is_always_upstreams() -> None:
    assert set(TABLE) == set(product(Actor, (None, *Status), Status))
    assert len(STATUSES) == len(Status)
    assert all(TABLE[Actor.UPSTREAM, status, status] is Step.ALLOWED for status in Status)


def test_d42_an_error_is_final_and_a_visit_that_took_place_does_not_become_a_request_again() -> None:
    ways = [way for way in product({Status.ENTERED_IN_ERROR}, Status) if way[0] is not way[1]]
    ways += product(CAME, REQUESTS)
    assert {TABLE[Actor.UPSTREAM, *way] for way in ways} == {Step.REFUSED}


def test_what_happened_to_a_visit_that_is_not_known_as_booked_is_a_fact_and_nothing_else_is() -> None:
    facts = {(held, to) for (actor, held, to), step in TABLE.items() if step is Step.FACT and actor is Actor.UPSTREAM}
    assert facts == set(product((None, *REQUESTS), FACTS))
    assert not any(step is Step.FACT for (actor, *_), step in TABLE.items() if actor is not Actor.UPSTREAM)


def test_the_desk_cancels_and_a_patient_answers_of_what_nobody_came_to() -> None:
    def ways(actor: Actor, to: Status) -> set[Status | None]:
        return {held for held in (None, *Status) if TABLE[actor, held, to] is Step.ALLOWED and held is not to}

    assert ways(Actor.DESK, Status.CANCELLED) == CAN_STILL_CHANGE
    assert ways(Actor.PATIENT, Status.CANCELLED) == {Status.BOOKED}
    assert ways(Actor.BOOKING, Status.NOSHOW) == {Status.BOOKED}


@pytest.mark.parametrize(("held", "to"), list(product((None, *Status), Status)))
def test_a_step_is_free_exactly_if_no_mode_and_no_time_refuses_it(held: Status | None, to: Status) -> None:
    def is_taken(held_for: timedelta) -> bool:
        try:
            return bool(judge(Taken(Actor.UPSTREAM, held, to, None, held_for), None, ENFORCED) is not None)
        except Refused:
            return False

    assert (held in FREE_FROM[to]) is all(map(is_taken, (timedelta(), timedelta(days=2))))


@pytest.mark.parametrize(
    ("held", "to", "reason", "rules", "expected"),
    [
        (Status.BOOKED, Status.ARRIVED, None, ENFORCED, ()),
        (Status.ARRIVED, Status.BOOKED, None, OBSERVED, WARNED),
        (Status.ARRIVED, Status.BOOKED, "another Ann", OBSERVED, ()),
        (Status.ARRIVED, Status.BOOKED, None, CORRECTS, "without a reason"),
        (Status.ARRIVED, Status.BOOKED, "another Ann", ENFORCED, "may not correct"),
        (Status.ARRIVED, Status.BOOKED, "another Ann", CORRECTS, ()),
        (Status.FULFILLED, Status.PENDING, "again", OBSERVED, ()),
        (Status.FULFILLED, Status.PENDING, "again", CORRECTS, "an id of its own"),
        (Status.ENTERED_IN_ERROR, Status.BOOKED, "no error", CORRECTS, "an error is final"),
        (None, Status.ARRIVED, None, OBSERVED, ("FACT_BEFORE_BOOKING",)),
        (Status.PENDING, Status.FULFILLED, "walked in", ENFORCED, ("FACT_BEFORE_BOOKING",)),
    ],
)
def test_r33_a_step_is_taken_warned_of_or_refused_by_mode_reason_and_right(
    held: Status | None, to: Status, reason: str | None, rules: StepRules, expected: tuple[str, ...] | str
) -> None:
    taken = Taken(Actor.UPSTREAM, held, to)
    if isinstance(expected, tuple):
        assert tuple(warned.code for warned in judge(taken, reason, rules)) == expected
        return
    with pytest.raises(Refused, match="ILLEGAL_TRANSITION") as refused:
        judge(taken, reason, rules)
    assert (refused.value.status, refused.value.place) == (409, "appointment.status")
    assert f"from {held} to {to}" in refused.value.message
    assert expected in refused.value.message
    assert reason is None or reason not in refused.value.message


def test_at_our_own_door_the_table_holds_whatever_mode_the_source_has() -> None:
    assert judge(Taken(Actor.DESK, Status.PENDING, Status.CHECKED_IN), "walked in", CORRECTS) == ()
    with pytest.raises(Refused, match="at our own door"):
        judge(Taken(Actor.DESK, Status.FULFILLED, Status.CHECKED_IN), "again", OBSERVED)


def test_d19_a_no_show_stands_after_24_hours_in_enforce_unless_booking_found_it() -> None:
    late = timedelta(hours=25)
    assert step_of(Actor.UPSTREAM, Status.NOSHOW, Status.ARRIVED, late) is Step.WITH_REASON
    with pytest.raises(Refused, match="from noshow to arrived without a reason"):
        judge(
            Taken(Actor.UPSTREAM, Status.NOSHOW, Status.ARRIVED, (Status.NOSHOW, Status.ARRIVED), late), None, ENFORCED
        )
    found = Taken(Actor.UPSTREAM, Status.NOSHOW, Status.ARRIVED, (Status.BOOKED, Status.ARRIVED), late)
    assert [warned.code for warned in judge(found, None, ENFORCED)] == list(WARNED)


def test_what_is_refused_leaves_everything_as_it_was_and_may_be_sent_again_with_a_reason() -> None:
    before = held_as(Status.BOOKED, Status.ARRIVED)
    taken = strict(before, may_correct=True)
    wrong = change("e1", Status.BOOKED, provider="dr-new", provider_name="Dr New", other_names=("v-new",))
    taken.known = replace(taken.known, ids={**taken.known.ids, ("local", "v-new"): VISIT})

    refused = taken.take(wrong)
    assert refused.refusal is not None
    assert refused.refusal.code == "ILLEGAL_TRANSITION"
    left = (taken.versions, taken.changed, taken.recorded_events, taken.flags, taken.providers, taken.doctors.given)
    assert [len(one) for one in left] == [0] * 6
    assert taken.visits.given == {}

    corrected = taken.take(wrong._replace(reason="another Ann", body_sha256=b"with a reason"))
    assert (corrected.result, codes(corrected)) == (Result.APPLIED, [])


def test_upstreams_own_step_is_taken_though_the_no_show_that_booking_found_is_in_its_way() -> None:
    booked = held_as(Status.BOOKED)
    missed = not_attended(booked.changed[VISIT], "no-show/EYE/x", timedelta(minutes=30), START)
    booked.changed[VISIT] = missed
    moved = strict(booked).take(change("e2", Status.BOOKED, starts_at=START + timedelta(days=7)))
    assert (moved.result, codes(moved)) == (Result.APPLIED, list(WARNED))


@pytest.mark.parametrize(("mode", "warned"), [(IngestMode.LIVE, ["FACT_BEFORE_BOOKING"]), (IngestMode.BACKFILL, [])])
def test_a_fact_is_taken_and_flagged_and_history_that_is_imported_begins_as_it_ended(
    mode: IngestMode, warned: list[str]
) -> None:
    taken = strict()
    answer = taken.take(command("e1", status=Status.FULFILLED, mode=mode))
    assert (answer.result, codes(answer), [flag.code for flag in taken.flags]) == (Result.APPLIED, warned, warned)


def test_after_an_error_that_came_first_nothing_is_booked_under_that_id_in_enforce() -> None:
    error = change("e1", Status.ENTERED_IN_ERROR, sequence=1)
    seen, refused = batch(), strict()
    assert [one.take(error).result for one in (seen, refused)] == [Result.TOMBSTONE] * 2
    assert codes(seen.take(command("e2", sequence=2))) == list(WARNED)
    assert refused.take(command("e2", sequence=2)).result is None
    assert refused.take(change("e3", Status.CANCELLED, sequence=3)).result is None


def asked(held: Batch | None, *commands: BookAppointment) -> set[str]:
    known = batch(known=held).known
    return with_doubtful_steps(commands, known.ids, known.held)


def test_the_mode_of_a_source_is_asked_only_for_a_step_that_it_may_refuse() -> None:
    book, arrive, back = command("e1"), change("e2", Status.ARRIVED), change("e3", Status.PENDING)
    assert asked(None, book, arrive) == set()
    assert asked(held_as(Status.BOOKED), arrive) == set()
    assert asked(held_as(Status.BOOKED, Status.ARRIVED), back) == {"local"}
    assert asked(None, book, arrive, back) == {"local"}  # by what comes before it in the batch
    assert asked(held_as(Status.NOSHOW), arrive) == {"local"}  # by the time that has passed


def test_a_step_of_a_visit_that_the_batch_gives_another_name_is_seen_under_each() -> None:
    names: dict[str, Any] = {"other_names": ("v2",)}
    repeated = change("e1", Status.BOOKED, sequence=1, **names)
    under_the_other = change("e2", Status.BOOKED, appointment="v2")
    assert asked(held_as(Status.BOOKED), repeated, under_the_other) == set()
    assert asked(held_as(Status.BOOKED, Status.FULFILLED), repeated, under_the_other) == {"local"}


@pytest.mark.parametrize("status", sorted(FACTS))
@pytest.mark.parametrize("make", [batch, strict])
def test_a_booking_that_comes_after_what_happened_adds_its_details_and_takes_nothing_back(
    status: Status, make: Any
) -> None:
    taken = make()
    taken.take(change("e1", status, patient="ann", clinic="EYE", starts_at=START))
    late = taken.take(command("e2", starts_at=START - timedelta(days=1), ends_at=START + timedelta(hours=1)))

    assert (late.result, [(w.code, w.place) for w in late.warnings]) == (
        Result.APPLIED,
        [("STALE", "appointment.status")],
    )
    state = taken.changed[VISIT]
    assert (state.status, state.said_status, state.version, state.starts_at) == (status, None, 2, START)
    assert (state.service_type, state.ends_at) == ("Check", START + timedelta(hours=1))
    assert state.provider_id is not None
    assert [flag.code for flag in taken.flags] == ["FACT_BEFORE_BOOKING"]


def test_what_happened_is_not_overwritten_by_the_booking_that_comes_after() -> None:
    taken = strict()
    taken.take(command("e1", status=Status.ARRIVED, service_type="Scan"))
    assert taken.take(command("e2")).result is Result.REPEAT
    assert taken.changed[VISIT].service_type == "Scan"


@pytest.mark.parametrize(
    "back", [{"sequence": 2}, {"reason": "another Ann"}, {"status": Status.PENDING}], ids=["newer", "reason", "request"]
)
def test_a_step_back_from_what_happened_is_no_late_booking(back: dict[str, Any]) -> None:
    taken = strict()
    taken.take(command("e1", status=Status.ARRIVED, sequence=1))
    refused = taken.take(command("e2", **back)).refusal
    assert refused is not None
    assert refused.code == "ILLEGAL_TRANSITION"


@pytest.mark.parametrize("status", sorted(FACTS))
@pytest.mark.parametrize("make", [batch, strict])
def test_what_happened_to_a_visit_that_was_cancelled_and_never_booked_is_a_fact(status: Status, make: Any) -> None:
    taken = make()
    taken.take(change("e1", Status.CANCELLED, sequence=1))
    came = taken.take(command("e2", status=status, sequence=2))
    assert (came.result, codes(came)) == (Result.APPLIED, ["FACT_BEFORE_BOOKING"])
    assert (taken.changed[VISIT].status, [flag.code for flag in taken.flags]) == (status, ["FACT_BEFORE_BOOKING"])


@pytest.mark.parametrize("make", [batch, strict])
@pytest.mark.parametrize(
    "words",
    [
        (Status.PENDING, Status.ARRIVED),
        (Status.ARRIVED, Status.CHECKED_IN),
        (Status.WAITLIST, Status.ARRIVED, Status.CHECKED_IN, Status.FULFILLED),
        (Status.CANCELLED, Status.ARRIVED),
        (Status.PROPOSED, Status.NOSHOW),
    ],
    ids="-".join,
)
def test_the_first_booking_takes_nothing_back_however_many_words_came_before_it(
    words: tuple[Status, ...], make: Any
) -> None:
    taken = make()
    for number, status in enumerate(words):
        taken.take(change(f"e{number}", status, patient="ann", clinic="EYE", starts_at=START))
    assert taken.changed[VISIT].never_booked
    late = taken.take(command("late", starts_at=START - timedelta(days=1)))
    state = taken.changed[VISIT]
    assert (late.result, codes(late), state.never_booked) == (Result.APPLIED, ["STALE"], False)
    assert (state.status, state.starts_at, state.service_type) == (words[-1], START, "Check")
    again = taken.take(change("again", Status.BOOKED))
    if make is strict:
        assert again.refusal is not None
    else:
        assert (taken.changed[VISIT].status, codes(again)) == (Status.BOOKED, list(WARNED))


def test_a_booking_that_is_older_by_its_own_order_is_stale_and_heard_all_the_same() -> None:
    taken = strict()
    taken.take(command("e1", status=Status.ARRIVED, sequence=2, service_type=None))
    older = taken.take(command("e2", sequence=1))
    state = taken.changed[VISIT]
    assert (older.result, state.status, state.version, state.service_type) == (Result.STALE, Status.ARRIVED, 1, None)
    assert not state.never_booked


@pytest.mark.parametrize("given", [{}, {"sequence": 2}, {"reason": "routine"}], ids=["by arrival", "newer", "reason"])
@pytest.mark.parametrize("enforced", [(), ("local",)])
def test_whoever_was_checked_in_at_the_desk_from_a_request_stays_so_when_upstream_books_it(
    given: dict[str, Any], enforced: tuple[str, ...]
) -> None:
    taken = batch(replace(LOCAL, may_correct=True))
    taken.known = replace(taken.known, enforced=enforced)
    taken.take(command("e1", status=Status.PENDING, sequence=1))
    taken.take(change("d1", Status.CHECKED_IN, check_in=CheckInAtDesk("front desk"), reason="walked in"))
    booked = taken.take(command("e2", service_type="Scan", **given))
    state = taken.changed[VISIT]
    assert (booked.result, codes(booked)) == (Result.APPLIED, ["KEPT_DESK_CHANGE"])
    assert (state.status, state.said_status, state.service_type) == (Status.CHECKED_IN, Status.BOOKED, "Scan")


@pytest.mark.parametrize("status", sorted(FACTS))
@pytest.mark.parametrize("make", [batch, strict])
def test_what_happened_is_taken_after_a_cancellation_that_came_first_also_without_a_sequence(
    status: Status, make: Any
) -> None:
    taken = make()
    taken.take(change("e1", Status.CANCELLED))
    came = taken.take(command("e2", status=status))
    assert (came.result, codes(came)) == (Result.APPLIED, ["FACT_BEFORE_BOOKING"])
    assert [flag.code for flag in taken.flags] == ["FACT_BEFORE_BOOKING"]


def test_what_happened_before_a_later_cancellation_is_stale_by_its_own_time() -> None:
    taken = batch()
    taken.take(change("e1", Status.CANCELLED, occurred_at=NOW))
    assert taken.take(command("e2", status=Status.ARRIVED, occurred_at=NOW - timedelta(hours=1))).result is Result.STALE


def test_whoever_came_to_a_visit_that_was_booked_and_cancelled_is_refused_for_staff_to_see() -> None:
    known = held_as(Status.BOOKED, Status.CANCELLED)
    refused = strict(known).take(change("e3", Status.ARRIVED)).refusal
    assert refused is not None
    assert refused.code == "ILLEGAL_TRANSITION"


@pytest.mark.parametrize("to", [Status.PROPOSED, Status.PENDING])
def test_what_the_desk_did_does_not_excuse_a_step_that_upstream_may_not_take(to: Status) -> None:
    known = held_as(Status.BOOKED)
    known.take(change("d1", Status.CANCELLED, at_desk=SeenAtDesk(START), reason="Dr Who is ill"))
    seen = batch(known=known)
    assert codes(seen.take(change("e2", to))) == list(WARNED)
    assert [flag.code for flag in seen.flags] == list(WARNED)
    refused = strict(known).take(change("e2", to)).refusal
    assert refused is not None
    assert f"no step from booked to {to} without a reason" in refused.message
    corrected = strict(known, may_correct=True).take(change("e2", to, reason="it was a request"))
    assert (corrected.result, codes(corrected)) == (Result.APPLIED, [])
    assert codes(strict(known).take(change("e2", Status.WAITLIST))) == []
