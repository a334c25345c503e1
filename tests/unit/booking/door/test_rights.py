"""What a client may do (G9), which clinic is meant, who is registered by a message."""

from dataclasses import replace

import pytest

from booking.appointments.domain.batch import EventAnswer
from booking.door.domain import Client
from booking.patients.domain.details import Addresses, KeptDetails, PersonDetails
from booking.safety.domain import Cause
from booking.values.refusals import Refused
from tests.support.booking.builders import ANN, HOUR, LOCAL, NOW, VISIT, batch, change, command

EYE_ONLY = Client("local", ("local",), ("EYE",))
MANAGER = Client("local", ("local",), may_manage_clinics=True)
DOS = ("http://fhir.nhs.uk/Id/dos-service-id", "111")


def refusal(answer: EventAnswer) -> str:
    assert answer.refusal is not None
    return answer.refusal.code


def test_a_client_with_one_source_need_not_name_it() -> None:
    assert LOCAL.source(None) == "local"


def test_a_client_with_several_sources_names_one() -> None:
    with pytest.raises(Refused, match="SOURCE_REQUIRED"):
        Client("both", ("a", "b")).source(None)


def test_g9_a_foreign_source_is_forbidden() -> None:
    with pytest.raises(Refused, match="FOREIGN_SOURCE") as caught:
        LOCAL.source("other")
    assert caught.value.status == 403


def test_g9_a_foreign_clinic_is_forbidden_whether_it_exists_or_not() -> None:
    assert refusal(batch(EYE_ONLY).take(command(clinic="ENT"))) == "FOREIGN_CLINIC"
    assert refusal(batch(EYE_ONLY).take(command(clinic="NOWHERE"))) == "FOREIGN_CLINIC"


def test_g9_an_appointment_held_at_a_foreign_clinic_cannot_be_changed() -> None:
    booked = batch()
    booked.take(command(clinic="ENT"))
    assert refusal(batch(EYE_ONLY, known=booked).take(change("e2", clinic="EYE"))) == "FOREIGN_CLINIC"


def test_an_unknown_clinic_is_refused() -> None:
    assert refusal(batch().take(command(clinic="NOWHERE"))) == "UNKNOWN_CLINIC"


def test_a_clinic_is_found_by_an_identifier_of_its_source() -> None:
    booked = batch(clinic_ids={("local", *DOS): "ENT"})
    booked.take(command(clinic=None, clinic_identifiers=(("x", "1"), DOS)))
    assert booked.changed[VISIT].clinic_id == "ENT"


def test_an_identifier_that_names_no_clinic_is_refused_with_the_system_that_was_missing() -> None:
    answer = batch().take(command(clinic=None, clinic_identifiers=(DOS,)))
    assert refusal(answer) == "UNKNOWN_CLINIC"
    assert answer.refusal is not None
    assert "dos-service-id" in answer.refusal.message
    assert "111" not in answer.refusal.message


def test_a_booking_that_names_no_clinic_lands_in_the_clients_default_clinic() -> None:
    booked = batch(Client("local", ("local",), default_clinic="EYE"))
    booked.take(command(clinic=None, clinic_identifiers=(DOS,)))
    assert booked.changed[VISIT].clinic_id == "EYE"


def test_a_patient_in_a_message_is_registered_when_the_client_may_register() -> None:
    booked = batch()
    booked.take(command(person=PersonDetails(given_name="Ann", own=Addresses(("07911 123456",)))))
    ((patient, details, cause),) = booked.persons
    assert (patient, details.mobile, cause) == (ANN, "+447911123456", Cause("local", "local/e1"))


def test_a_message_that_changes_nothing_of_the_visit_says_what_it_says_of_the_patient() -> None:
    booked = batch()
    booked.take(command())
    booked.take(command("e2", person=PersonDetails(deceased=False)))
    booked.take(command("e3", person=PersonDetails(deceased=True), occurred_at=NOW - 9 * HOUR))

    assert len(booked.versions) == 1
    assert [(one.details.deceased, one.cause.event) for one in booked.persons] == [(False, "local/e2")]


def test_without_that_right_the_booking_is_taken_and_nobody_is_registered() -> None:
    booked = batch(Client("local", ("local",)))
    booked.take(command(person=PersonDetails(given_name="Ann")))
    assert booked.persons == []
    assert len(booked.versions) == 1


def test_what_cannot_be_kept_of_a_person_is_dropped_and_the_rest_taken() -> None:
    booked = batch()
    person = PersonDetails(given_name="Ann\nB", own=Addresses(("unknown",), ("ann@example.org",)))
    answer = booked.take(command(person=person))
    assert [w.place for w in answer.warnings] == ["patient.given", "patient.phone"]
    [(_, kept, _)] = booked.persons
    assert kept == KeptDetails(email="ann@example.org")
    assert len(booked.versions) == 1


@pytest.mark.parametrize(
    ("client", "code"),
    [
        (MANAGER, None),
        (replace(MANAGER, clinics=("EYE",)), "FOREIGN_CLINIC"),
        (replace(MANAGER, may_manage_clinics=False), "MAY_NOT_MANAGE_CLINICS"),
    ],
)
def test_how_a_whole_source_is_judged_is_said_by_those_alone_who_see_all_clinics(
    client: Client, code: str | None
) -> None:
    if code is None:
        client.check_may_judge_steps()
        return
    with pytest.raises(Refused) as refused:
        client.check_may_judge_steps()
    assert (refused.value.code, refused.value.status) == (code, 403)
