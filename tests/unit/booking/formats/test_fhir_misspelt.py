"""A FHIR resource that is refused names the fields that R4 does not have, with those that may be meant (0047)."""

from typing import Any

import pytest

from booking.values.refusals import Refused
from tests.unit.booking.formats.test_fhir_details import APPOINTMENT, message, read

MISSPELT: dict[str, tuple[Any, tuple[str, str], dict[str, str]]] = {
    "a start": (
        {**{name: one for name, one in APPOINTMENT.items() if name != "start"}, "strat": "2027-03-12T10:00:00Z"},
        ("FHIR_INVARIANT", "Appointment.start"), {"Appointment.strat": "start"},
    ),
    "in a list, two at once": (
        {**APPOINTMENT, "participant": [{"acter": {"reference": "Patient/ann"}, "statos": "accepted"}]},
        ("INVALID_FHIR", "Appointment.participant[0].acter"),
        {"Appointment.participant[0].acter": "actor", "Appointment.participant[0].statos": "status"},
    ),
    "a part of a part": (
        {**APPOINTMENT, "participant": [{"actor": {"Reference": "Patient/ann"}, "status": "accepted"}]},
        ("INVALID_FHIR", "Appointment.participant[0].actor.Reference"),
        {"Appointment.participant[0].actor.Reference": "reference"},
    ),
    "beside what is not valid": (
        {**APPOINTMENT, "status": 7, "Ann Abara": 1}, ("INVALID_FHIR", "Appointment.status"), {"Appointment.?": ""},
    ),
    "in a message": (
        message(lambda header: header.update(eventCoding={"code": 7}, focs=[]), "MessageHeader"),
        ("INVALID_FHIR", "Bundle.entry[0].resource.eventCoding.code"), {"Bundle.entry[0].resource.focs": "focus"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", MISSPELT)
def test_a_resource_that_is_refused_names_what_it_misspelt(what: str) -> None:
    value, expected, named = MISSPELT[what]
    with pytest.raises(Refused) as caught:
        read(value)
    assert (caught.value.code, caught.value.place) == expected
    assert {one.code for one in caught.value.also} <= {"UNKNOWN_FIELD"}
    assert {one.place: one.message.partition("did you mean ")[2].rstrip("?") for one in caught.value.also} == named
