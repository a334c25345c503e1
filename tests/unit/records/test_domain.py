"""The rules of records, by number."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.domain import (
    OrdinalOverflow,
    SubFile,
    complete,
    fold,
    is_opening,
    openings,
    settle,
    sub_file_number,
)
from schemas.appointments import Status
from schemas.lean_models import AppointmentReading
from schemas.subfiles import SubFileStatus
from schemas.wire import event_id, sub_file_id
from tests.support.records.builders import id_of, seen

MAIN_FILE = "FILE-2026-000007"
PAIR = (id_of("ann"), "EYE")
KNOWN = frozenset({id_of("dr who"), id_of("dr no")})


def settled(*events: AppointmentReading, held: SubFile | None = None, main_file: str | None = MAIN_FILE) -> SubFile:
    file = settle(PAIR, events, held, main_file, KNOWN)
    assert file is not None
    return file


def test_r1_r4_r5_r6_the_first_booking_opens_an_active_numbered_file_with_the_visits_provider() -> None:
    file = settled(seen())

    assert file.status is SubFileStatus.ACTIVE
    assert file.number == "FILE-2026-000007-EYE-01"
    assert file.provider_id == id_of("dr who")
    assert file.sub_file_id == str(sub_file_id(UUID(PAIR[0]), "EYE", 1))
    assert file.caused_by == str(event_id(UUID(id_of("visit")), 1))


def test_r2_d5_without_a_main_file_the_file_is_parked_and_has_no_number() -> None:
    file = settled(seen(), main_file=None)

    assert (file.status, file.number) == (SubFileStatus.PARKED, None)


def test_r3_a_second_booking_at_the_clinic_changes_nothing() -> None:
    held = settled(seen())

    assert settle(PAIR, [seen("another visit", provider="dr no")], held, MAIN_FILE, KNOWN) is None


def test_d1_the_number_does_not_depend_on_the_order_in_which_clinics_come() -> None:
    eye = settle((id_of("ann"), "EYE"), [seen()], None, MAIN_FILE, KNOWN)
    skin = settle((id_of("ann"), "SKIN"), [seen(clinic="SKIN")], None, MAIN_FILE, KNOWN)

    assert [file and file.number for file in (eye, skin)] == ["FILE-2026-000007-EYE-01", "FILE-2026-000007-SKIN-01"]


def test_d1_a_closed_file_is_replaced_by_the_next_ordinal_only_by_policy() -> None:
    closed = replace(settled(seen()), status=SubFileStatus.CLOSED)
    again = [seen("a year later")]

    assert settle(PAIR, again, closed, MAIN_FILE, KNOWN) is None
    following = settle(PAIR, again, closed, MAIN_FILE, KNOWN, replace_closed=True)
    assert following is not None
    assert (following.number, following.version) == ("FILE-2026-000007-EYE-02", 1)
    assert following.sub_file_id != closed.sub_file_id


def test_d2_the_hundredth_file_at_a_clinic_is_an_error_never_a_longer_number() -> None:
    last = replace(settled(seen()), status=SubFileStatus.CLOSED, ordinal=99)

    with pytest.raises(OrdinalOverflow, match="EYE"):
        settle(PAIR, [seen()], last, MAIN_FILE, KNOWN, replace_closed=True)


@pytest.mark.parametrize("ordinal", [0, -1, 100])
def test_d2_an_ordinal_outside_two_digits_has_no_number(ordinal: int) -> None:
    with pytest.raises(OrdinalOverflow):
        sub_file_number(MAIN_FILE, "EYE", ordinal)


@pytest.mark.parametrize(
    ("status", "opens"),
    [
        (Status.PROPOSED, False),
        (Status.PENDING, False),
        (Status.WAITLIST, False),
        (Status.BOOKED, True),
        (Status.ARRIVED, True),
        (Status.CHECKED_IN, True),
        (Status.FULFILLED, True),
        (Status.NOSHOW, True),
        (Status.CANCELLED, False),
        (Status.ENTERED_IN_ERROR, False),
    ],
)
def test_d3_only_booked_or_later_opens_a_file(status: Status, opens: bool) -> None:
    assert is_opening(seen(status=status, ever_booked=False)) is opens


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.ENTERED_IN_ERROR])
def test_d3_a_cancelled_visit_that_had_been_booked_counts_even_if_its_booking_never_came(status: Status) -> None:
    assert is_opening(seen(version=2, status=status, ever_booked=True))


def test_d3_a_later_cancellation_leaves_the_file() -> None:
    held = settled(seen())

    assert settle(PAIR, [seen(version=2, status=Status.CANCELLED)], held, MAIN_FILE, KNOWN) is None


def test_d5_a_parked_file_gets_its_number_when_the_main_file_comes() -> None:
    parked = settled(seen(), main_file=None)

    file = complete(parked, MAIN_FILE, "the snapshot")

    assert (file.status, file.number, file.version) == (SubFileStatus.ACTIVE, "FILE-2026-000007-EYE-01", 2)
    assert file.caused_by == "the snapshot"
    assert file.appointment_id == parked.appointment_id


@pytest.mark.parametrize("provider", [None, "dr stranger"])
def test_d6_an_unknown_or_missing_provider_leaves_the_place_empty(provider: str | None) -> None:
    file = settled(seen(provider=provider))

    assert file.provider_id is None
    assert file.wanted_provider_id == (id_of(provider) if provider else None)


def test_d6_a_later_visits_known_provider_fills_an_empty_place_and_raises_the_version() -> None:
    empty = settled(seen(provider="dr stranger"))

    file = settled(seen("another visit"), held=empty)

    assert (file.provider_id, file.version) == (id_of("dr who"), 2)
    assert file.caused_by == str(event_id(UUID(id_of("another visit")), 1))


def test_d6_the_opening_visit_may_change_its_wish_and_another_visit_may_not() -> None:
    empty = settled(seen(provider="dr stranger"))

    corrected = settled(seen(version=2, provider="dr newcomer"), held=empty)

    assert (corrected.wanted_provider_id, corrected.version) == (id_of("dr newcomer"), 1)
    assert settle(PAIR, [seen("another visit", provider="dr newcomer")], empty, MAIN_FILE, KNOWN) is None


def test_d6_a_provider_once_assigned_is_never_replaced_by_an_event() -> None:
    file = settled(seen(), seen(version=2, provider="dr no"))

    assert file.provider_id == id_of("dr who")


def test_d44_a_file_belongs_to_the_patient_it_was_opened_for() -> None:
    assert settled(seen()).patient_id == id_of("ann")


def test_events_that_open_are_grouped_by_patient_and_clinic_in_order() -> None:
    first, second, elsewhere = seen("one"), seen("two"), seen("three", clinic="SKIN")

    assert openings([first, elsewhere, seen("four", status=Status.PENDING, ever_booked=False), second]) == {
        PAIR: [first, second],
        (id_of("ann"), "SKIN"): [elsewhere],
    }


def test_versions_are_folded_in_order_and_each_event_is_counted_once() -> None:
    events = [seen(version=version) for version in (2, 3, 3, 2, 5)]

    folded = fold(
        [(10 + place, event.appointment_id, event) for place, event in enumerate(events)], {id_of("visit"): 2}
    )

    assert [event.version for event in folded.applied] == [3, 5]
    assert (folded.repeat, folded.stale) == ([10, 12], [13])


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 5))),
    st.dictionaries(st.sampled_from("abc"), st.integers(1, 5)),
)
def test_i3_applied_repeat_and_stale_add_up_to_the_events_read(
    versions: list[tuple[str, int]], held: dict[str, int]
) -> None:
    events = [(place, name, seen(name, version)) for place, (name, version) in enumerate(versions)]

    folded = fold(events, held)

    assert len(folded.applied) + len(folded.repeat) + len(folded.stale) == len(events)
    assert len({*folded.repeat, *folded.stale}) == len(folded.repeat) + len(folded.stale)
    applied = [(event.appointment_id, event.version) for event in folded.applied]
    assert len(set(applied)) == len(applied)
    again = fold(events, held | {name: max(held.get(name, 0), version) for name, version in _highest(versions).items()})
    assert not again.applied


def _highest(versions: list[tuple[str, int]]) -> dict[str, int]:
    return {name: max(version for other, version in versions if other == name) for name, _ in versions}
