"""A message that says nothing of the status, or only that a visit stands, leaves what upstream itself said last."""

from dataclasses import replace
from typing import Any

import pytest

from booking.appointments.domain.batch import Batch
from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.state import AppointmentState, Result
from booking.appointments.domain.statuses import CANCELLED_BY_PATIENT
from booking.door.domain import Client
from booking.values.refusals import Refused
from schemas.appointments import Status
from tests.support.booking.builders import HOUR, LOCAL, NOW, START, VISIT, batch, change, command

ALL = tuple(Status)
BEGUN = (Status.ARRIVED, Status.CHECKED_IN, Status.FULFILLED)
AT_EYE = (("AIL-3.4", "EYE"),)


def held_as(status: Status, **given: Any) -> Batch:
    taken = batch()
    for answer in (taken.take(command("first", **given)), taken.take(change("second", status))):
        assert answer.refusal is None
    return taken


def after(known: Batch, order: BookAppointment, client: Client = LOCAL) -> AppointmentState | Refused:
    taken = batch(client, known, now=NOW + HOUR)
    answer = taken.take(order)
    return answer.refusal or taken.changed.get(VISIT) or taken.known.held[VISIT]


@pytest.mark.parametrize("status", Status)
def test_a_visit_that_is_known_keeps_each_status_that_the_message_leaves_alone(status: Status) -> None:
    found = after(held_as(status), change("next", keeps=ALL, service_type="Other"))
    assert isinstance(found, AppointmentState)
    assert found.status is status


@pytest.mark.parametrize("status", Status)
def test_the_others_get_the_status_that_it_says(status: Status) -> None:
    found = after(held_as(status), change("next", keeps=BEGUN, occurred_at=NOW + HOUR, starts_at=START + HOUR))
    assert isinstance(found, AppointmentState)
    assert found.status is (status if status in BEGUN else Status.BOOKED)


@pytest.mark.parametrize(("read_in", "refused"), [(None, False), ("Europe/London", False), ("Europe/Oslo", True)])
def test_a_start_read_by_the_zone_of_another_clinic_is_refused_where_it_is_another_time(
    read_in: str | None, *, refused: bool
) -> None:
    taken = batch()
    first = taken.take(command("first", read_in=read_in))
    found = after(held_as(Status.BOOKED), change("next", starts_at=START + HOUR, read_in=read_in))
    assert (first.refusal is not None, isinstance(found, Refused)) == (refused, refused)
    if refused:
        assert isinstance(found, Refused)
        assert (found.code, found.place) == ("NAIVE_TIME", "appointment.start")


def test_one_that_is_not_known_has_the_status_that_it_says() -> None:
    assert held_as(Status.BOOKED, keeps=ALL).changed[VISIT].status is Status.BOOKED


def test_one_cancelled_before_it_was_booked_stays_so_whatever_a_later_change_leaves_alone() -> None:
    tomb = batch()
    tomb.take(change("c", status=Status.CANCELLED))
    taken = batch(known=tomb, now=NOW + HOUR)
    answer = taken.take(command("next", keeps=ALL, occurred_at=NOW + HOUR))
    assert (answer.result, taken.changed[VISIT].status) == (Result.TOMBSTONE, Status.CANCELLED)


def test_what_the_patient_answered_stands_against_a_message_that_says_nothing_of_the_status() -> None:
    known = held_as(Status.BOOKED)
    known.changed[VISIT] = known.changed[VISIT]._replace(
        status=Status.CANCELLED, said_status=Status.BOOKED, reason=CANCELLED_BY_PATIENT, caused_by="patient-reply/r"
    )
    found = after(known, change("next", keeps=ALL, service_type="Other"))
    assert isinstance(found, AppointmentState)
    assert (found.status, found.said_status, found.service_type) == (Status.CANCELLED, Status.BOOKED, "Other")


CLINICS: dict[str, tuple[BookAppointment, dict[tuple[str, str, str], str], str]] = {
    "one that an identifier names": (
        command("n", clinic=None, clinic_identifiers=AT_EYE, clinic_otherwise="ENT"),
        {("local", "AIL-3.4", "EYE"): "EYE"},
        "EYE",
    ),
    "another where none is known": (
        command("n", clinic=None, clinic_identifiers=AT_EYE, clinic_otherwise="ENT"), {}, "ENT"
    ),
    "another where none is named": (command("n", clinic=None, clinic_otherwise="ENT"), {}, "ENT"),
}  # fmt: skip


@pytest.mark.parametrize("case", CLINICS)
def test_a_new_visit_is_at_the_clinic(case: str) -> None:
    order, clinic_ids, clinic = CLINICS[case]
    taken = batch(replace(LOCAL, default_clinic="EYE"), clinic_ids=clinic_ids)
    assert taken.take(order).refusal is None
    assert taken.changed[VISIT].clinic_id == clinic


def test_a_known_visit_stays_where_it_is_when_no_place_is_known_and_is_refused_where_nothing_says_where_else() -> None:
    elsewhere = change("n", clinic_identifiers=AT_EYE, service_type="Other")
    found = after(held_as(Status.BOOKED), elsewhere._replace(clinic_otherwise="ENT"))
    assert isinstance(found, AppointmentState)
    assert (found.clinic_id, found.service_type) == ("EYE", "Other")
    refused = after(held_as(Status.BOOKED), elsewhere)
    assert isinstance(refused, Refused)
    assert refused.code == "UNKNOWN_CLINIC"
