"""A booking of somebody whom nobody made known says so, for as long as it is so (0047)."""

from typing import Any

import pytest

from booking.appointments.domain.strangers import Acquaintances
from booking.patients.domain.details import PersonDetails
from schemas.appointments import Status
from tests.support.booking.builders import ANN, batch, change, command

DR_WHO = ("local", "dr-who")
NOBODY = Acquaintances()


def warned(known: Acquaintances, **given: Any) -> list[tuple[str, str]]:
    answer = batch(acquaintances=known).take(command(**given))
    return [(one.code, one.place) for one in answer.warnings]


PATIENT, PROVIDER = ("UNKNOWN_PATIENT", "appointment.patient"), ("UNKNOWN_PROVIDER", "appointment.provider")


@pytest.mark.parametrize(
    ("known", "given", "said"),
    [
        (NOBODY, {}, [PATIENT, PROVIDER]),
        (NOBODY, {"patient": "a new one"}, [PATIENT, PROVIDER]),
        (Acquaintances({ANN}, {DR_WHO}), {}, []),
        (Acquaintances({ANN}), {}, [PROVIDER]),
        (Acquaintances(entered={DR_WHO}), {}, [PATIENT]),
        (Acquaintances({ANN}, {DR_WHO}), {"patient": "bob", "provider": "dr-no"}, [PATIENT, PROVIDER]),
        (Acquaintances(all_register=True), {"provider": None}, []),
        (NOBODY, {"person": PersonDetails(given_name="Ann")}, [PROVIDER]),
        (NOBODY, {"provider_name": "Dr. Who"}, [PATIENT]),
        (NOBODY, {"status": Status.CANCELLED}, []),
    ],
)
def test_whoever_is_named_and_not_known_is_said(
    known: Acquaintances, given: dict[str, Any], said: list[tuple[str, str]]
) -> None:
    assert warned(known, **given) == said


def test_an_event_that_names_nobody_says_nothing_of_him() -> None:
    booked = batch(acquaintances=NOBODY)
    booked.take(command())
    assert booked.take(change("e2", service_type="Scan")).warnings == ()


def test_the_same_event_again_says_it_only_while_it_is_so() -> None:
    first = batch(acquaintances=NOBODY)
    first.take(command())
    again = batch(known=first, acquaintances=Acquaintances(entered={DR_WHO})).take(command())
    assert [one.code for one in again.warnings] == ["UNKNOWN_PATIENT"]
    known = batch(known=first, acquaintances=Acquaintances({ANN}, {DR_WHO})).take(command())
    assert (known.result and known.result.value, known.warnings) == ("repeat", ())


def test_a_warning_says_what_follows_and_the_way_out() -> None:
    said = [one.members["detail"] for one in batch(acquaintances=NOBODY).take(command()).warnings]
    assert said == [
        "nobody registered this patient: no message goes to him until PUT /v1/patients/{id}",
        "nobody entered this clinician: no notice goes to him until PUT /v1/providers/{id}",
    ]
