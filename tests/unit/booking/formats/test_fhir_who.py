"""Who a FHIR booking is of and with: what references name, one patient, and the practitioner who sees him."""

from typing import Any

import pytest

from booking.appointments.domain.command import BookAppointment
from booking.values.refusals import Refused
from booking.values.unset import UNSET
from tests.unit.booking.formats.test_fhir_details import APPOINTMENT, CANCELLED, places, read

MRN = {"system": "urn:mrn", "value": "7"}
ANN = {"resourceType": "Patient", "id": "pat1", "identifier": [MRN], "name": [{"family": "Lee"}]}
NOBODY = {"resourceType": "Patient", "id": "pat1", "name": [{"family": "Lee"}]}
DOCTOR = {"resourceType": "Practitioner", "id": "dr1", "name": [{"family": "Ito"}]}
GMC = {**DOCTOR, "identifier": [{"system": "urn:gmc", "value": "9"}]}
V3 = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"


def who(reference: str | None = None, role: str | None = None, status: str = "accepted", **actor: Any) -> Any:
    said = {"type": [{"coding": [{"system": V3, "code": role}]}]} if role else {}
    return {"actor": {**({"reference": reference} if reference else {}), **actor}, "status": status, **said}


def of(*participants: Any, contained: tuple[Any, ...] = (), **fields: Any) -> BookAppointment:
    inside = {"contained": list(contained)} if contained else {}
    return read({**APPOINTMENT, **fields, **inside, "participant": list(participants)})


def bundle(reference: str, full_url: str, **fields: Any) -> Any:
    header = {
        "resourceType": "MessageHeader",
        "id": "m1",
        "eventCoding": {"code": "booking-request"},
        "source": {"endpoint": "urn:x"},
        "focus": [{"reference": "Appointment/a1/_history/4"}],
    }
    patient = {"resourceType": "Patient", "id": "1", "name": [{"family": "Lee"}], **fields}
    entries = [
        {"resource": header},
        {"resource": {**APPOINTMENT, "participant": [who(reference)]}},
        {"fullUrl": full_url, "resource": patient},
    ]
    return {"resourceType": "Bundle", "type": "message", "entry": entries}


@pytest.mark.parametrize(
    ("actor", "patient"),
    [
        (who("Patient/1"), "Patient/1"),
        (who("Patient/1/_history/2"), "Patient/1"),
        (who("https://h/fhir/Patient/1"), "https://h/fhir/Patient/1"),
        (who("https://h/fhir/Patient/1/_history/2"), "https://h/fhir/Patient/1"),
        (who("https://h/fhir/Patient/1", type="Patient"), "https://h/fhir/Patient/1"),
        (who("urn:uuid:p", type="Patient"), "urn:uuid:p"),
        (who("#pat1", type="Patient", identifier=MRN), "urn:mrn|7"),
        (who(type="Patient", identifier=MRN), "urn:mrn|7"),
    ],
)
def test_a_reference_names_its_patient_without_the_version(actor: Any, patient: str) -> None:
    assert of(actor).patient == patient


@pytest.mark.parametrize("reference", ["https://h/fhir/Patient/1", "https://h/fhir/Patient/1/_history/3", "Patient/1"])
def test_a_reference_finds_what_came_along(reference: str) -> None:
    order = read(bundle(reference, "https://h/fhir/Patient/1", identifier=[MRN]))
    assert (order.patient, order.person.family_name if order.person else None) == ("urn:mrn|7", "Lee")
    assert read(bundle(reference, "https://h/fhir/Patient/1")).patient == "1"


def test_a_contained_patient_is_known_by_his_identifier() -> None:
    order = of(who("#pat1"), contained=(ANN,))
    assert (order.patient, order.person.family_name if order.person else None) == ("urn:mrn|7", "Lee")


@pytest.mark.parametrize(
    ("participants", "contained"),
    [
        ([who("#pat1")], (NOBODY,)),
        ([who("#pat1", type="Patient")], ()),
        ([who("#pat1", type="Patient")], (NOBODY,)),
        ([who("#pat1")], ({**NOBODY, "identifier": [{"system": "urn:mrn"}]},)),
        ([who("Patient/")], ()),
        ([who("Patient")], ()),
    ],
)
def test_an_id_that_says_nothing_elsewhere_is_no_patient(participants: list[Any], contained: tuple[Any, ...]) -> None:
    with pytest.raises(Refused) as refused:
        of(*participants, contained=contained)
    assert (refused.value.code, refused.value.place) == ("NO_PATIENT", "Appointment.participant")


@pytest.mark.parametrize(
    "participants",
    [
        [who("Patient/1"), who("Patient/2")],
        [who("#pat1"), who("Patient/2")],
        [who("https://h/fhir/Patient/1"), who("https://h/fhir/Patient/2", status="tentative")],
        [who("Patient/1"), who(type="Patient", identifier=MRN)],
        [who("Patient/1", status="declined"), who("Patient/2", status="declined")],
    ],
)
def test_several_patients_are_refused(participants: list[Any]) -> None:
    with pytest.raises(Refused) as refused:
        of(*participants, contained=(ANN,))
    assert (refused.value.code, refused.value.place) == ("SEVERAL_PATIENTS", "Appointment.participant")


@pytest.mark.parametrize(
    ("participants", "patient"),
    [
        ([who("Patient/1"), who("Patient/1/_history/2")], "Patient/1"),
        ([who(type="Patient", identifier=MRN), who("#pat1")], "urn:mrn|7"),
        ([who("Patient/2", status="declined"), who("Patient/1")], "Patient/1"),
        ([who("Patient/1"), who("Practitioner/1")], "Patient/1"),
    ],
)
def test_one_patient_named_twice_is_one(participants: list[Any], patient: str) -> None:
    assert of(*participants, contained=(ANN,)).patient == patient


def test_a_cancellation_names_the_patient_who_declined() -> None:
    assert read({**CANCELLED, "participant": [who("Patient/1", status="declined")]}).patient == "Patient/1"


@pytest.mark.parametrize(
    ("practitioners", "provider"),
    [
        ([who("Practitioner/1"), who("Practitioner/2")], UNSET),
        ([who("Practitioner/1"), who("https://h/Practitioner/1")], "Practitioner/1"),
        ([who("Practitioner/1", "ATND"), who("Practitioner/2", "PPRF")], "Practitioner/2"),
        ([who("Practitioner/1", "PPRF"), who("Practitioner/2", "PPRF")], UNSET),
        ([{**who("Practitioner/1", "PPRF"), "period": {"end": "2020"}}, who("Practitioner/2")], "Practitioner/2"),
        ([{**who("Practitioner/1"), "period": {"end": "2020"}}], UNSET),
        ([who("Practitioner/1"), who("Practitioner/2", "PPRF")], "Practitioner/2"),
        ([who("Practitioner/1", "CON"), who("Practitioner/2/_history/7", "ATND")], "Practitioner/2"),
        ([who("Practitioner/1", "REF"), who("Practitioner/2")], "Practitioner/2"),
        ([who("Practitioner/1", "translator"), who("Practitioner/2", "SPRF")], "Practitioner/2"),
        ([who("Practitioner/1", "TRANS"), who("https://h/Practitioner/2")], "https://h/Practitioner/2"),
        ([who("Practitioner/1", "PPRF", "declined"), who("Practitioner/2")], "Practitioner/2"),
        ([who("Practitioner/1", status="declined")], UNSET),
        ([who("Practitioner/1", "REF")], UNSET),
        ([who("#dr1", "PPRF"), who("Practitioner/2")], "urn:gmc|9"),
    ],
)
def test_the_provider_is_who_sees_the_patient(practitioners: list[Any], provider: Any) -> None:
    assert of(who("Patient/1"), *practitioners, contained=(GMC,)).provider == provider


def test_of_two_who_may_see_the_patient_none_is_the_provider_and_it_is_named() -> None:
    order = of(who("Patient/1"), who("Practitioner/1"), who("Practitioner/2"))
    assert (order.provider, order.provider_names, places(order)) == (UNSET, (), ["Appointment.participant"])


@pytest.mark.parametrize("practitioners", [[who("#dr1")], [who("#dr1", "PPRF"), who("Practitioner/2")]])
def test_a_contained_provider_without_identifier_is_dropped_and_named(practitioners: list[Any]) -> None:
    order = of(who("Patient/1"), *practitioners, contained=(DOCTOR,))
    assert (order.provider, order.provider_name, places(order)) == (UNSET, None, ["Practitioner.identifier"])


@pytest.mark.parametrize(
    ("location", "clinic"),
    [
        ("Location/9/_history/3", ("Location", "9")),
        ("https://h/fhir/Location/9/_history/3", ("https://h/fhir/Location", "9")),
        ("https://h/fhir/Location/9", ("https://h/fhir/Location", "9")),
        ("#here", ("urn:site", "EYE")),
    ],
)
def test_a_clinic_is_named_without_the_version(location: str, clinic: tuple[str, str]) -> None:
    here = {"resourceType": "Location", "id": "here", "identifier": [{"system": "urn:site", "value": "EYE"}]}
    assert of(who("Patient/1"), who(location), contained=(here,)).clinic_identifiers == (clinic,)


OTHER, ENDED = {"system": "urn:mrn", "value": "8"}, {"period": {"end": "2020"}}


@pytest.mark.parametrize(
    ("identifiers", "patient", "others"),
    [
        ([{**OTHER, "use": "old"}, MRN], "urn:mrn|7", ()),
        ([{**OTHER, **ENDED}, MRN], "urn:mrn|7", ()),
        ([{**OTHER, **ENDED, "use": "official"}, MRN], "urn:mrn|7", ()),
        ([OTHER, {**MRN, "use": "official"}], "urn:mrn|7", ("urn:mrn|8",)),
        ([{**OTHER, "use": "old"}], "urn:mrn|8", ()),
    ],
)
def test_a_former_identifier_names_nobody_whom_another_names(
    identifiers: list[Any], patient: str, others: tuple[str, ...]
) -> None:
    contained = ({**ANN, "identifier": identifiers}, {**DOCTOR, "identifier": identifiers})
    order = of(who("#pat1"), who("#dr1"), contained=contained)
    assert (order.patient, order.patient_names) == (patient, others)
    assert (order.provider, order.provider_names) == (patient, others)


def test_a_former_identifier_of_a_visit_is_its_last_name() -> None:
    listed = [{**OTHER, "use": "old"}, {"system": "urn:x", "value": "9", **ENDED}, MRN]
    order = of(who("Patient/1"), id="a1", identifier=listed)
    assert (order.appointment, order.other_names) == ("urn:mrn|7", ("a1", "Appointment/a1", "urn:mrn|8", "urn:x|9"))


def test_of_too_many_names_of_a_visit_its_id_and_its_official_number_are_kept() -> None:
    listed = [{"system": f"urn:{n}", "value": "1"} for n in range(25)]
    order = of(who("Patient/1"), id="a1", identifier=[*listed, {**MRN, "use": "official"}])
    assert (order.appointment, *order.other_names[:2]) == ("urn:mrn|7", "a1", "Appointment/a1")
    assert (len(order.other_names), places(order)) == (19, ["Appointment.identifier"])


def test_a_random_uuid_names_no_practitioner() -> None:
    order = of(who("Patient/1"), who("urn:uuid:8a1b", type="Practitioner", display="Dr Ito"))
    assert (order.provider, places(order)) == (UNSET, ["Practitioner.identifier"])


@pytest.mark.parametrize(
    ("reference", "names"),
    [
        ("Patient?identifier=urn:mrn|7", ["urn:mrn|7"]),
        ("Patient?identifier=http://h/mrn|7", ["http://h/mrn|7"]),
        ("https://h/fhir/Patient?identifier=urn:mrn%7C7", ["urn:mrn|7"]),
        ("Patient?identifier=|7", ["7"]),
        ("https://h/fhir/Patient/1", ["https://h/fhir/Patient/1", "Patient/1"]),
    ],
)
def test_a_reference_names_its_patient_by_identifier_and_as_its_own_server_does(
    reference: str, names: list[str]
) -> None:
    order = of(who(reference))
    assert [order.patient, *order.patient_names] == names
