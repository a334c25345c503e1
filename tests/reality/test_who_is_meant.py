"""Who is meant: of lists what is valid now and fits, the performer, one patient, and who answers for a child."""

from typing import Any

from tests.support.reality import Case, Post, Seen, fhir

BOOKED = "New Appointment Booked"
V3 = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
PATIENT = {"type": "Patient", "identifier": {"value": "{patient}"}}
PLACE = {"reference": "Location/{clinic}"}


def taking(actor: dict[str, Any], role: str | None = None, status: str = "accepted") -> dict[str, Any]:
    """Return a participant."""
    said = {"type": [{"coding": [{"system": V3, "code": role}]}]} if role else {}
    return {"actor": actor, "status": status, **said}


def doctor(word: str) -> dict[str, Any]:
    """Return a reference of one of the case's practitioners."""
    return {"type": "Practitioner", "identifier": {"value": f"{{{word}}}"}}


def resource(*participants: dict[str, Any], patient: dict[str, Any] = PATIENT, **members: Any) -> dict[str, Any]:
    """Return a booking as a FHIR Appointment."""
    named = {"resourceType": "Appointment", "id": "v-{mark}", "status": "booked", "start": "{S}", "end": "{E}"}
    return {**named, "participant": [taking(patient), taking(PLACE), *participants], **members}


def message(patient: dict[str, Any], number: int = 1, *others: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return a message that brings along the patient `{other}`, whom nobody has registered, and other resources."""
    header = {
        "resourceType": "MessageHeader",
        "id": f"m-{{mark}}-{number}",
        "eventCoding": {"system": "https://fhir.nhs.uk/CodeSystem/message-events-bars", "code": "booking-request"},
        "source": {"endpoint": "urn:x"},
        "focus": [{"reference": "urn:uuid:a"}],
    }
    updated = {"lastUpdated": f"{{NOW+{number}m}}"}
    visit = resource(**{"patient": {"reference": "urn:uuid:p"}, "meta": updated, **members})
    person = {"resourceType": "Patient", "identifier": [{"value": "{other}"}], **patient}
    entries = [("urn:uuid:h", header), ("urn:uuid:a", visit), ("urn:uuid:p", person)]
    entries += [(f"https://h/fhir/{one['resourceType']}/{one['id']}", one) for one in others]
    return {"resourceType": "Bundle", "type": "message", "entry": [{"fullUrl": u, "resource": r} for u, r in entries]}


def phone(value: str, **fields: Any) -> dict[str, Any]:
    """Return a contact point."""
    return {"system": "phone", "value": value, "use": "mobile", **fields}


def seen_by(*participants: dict[str, Any], **members: Any) -> Post:
    """Return a booking with these practitioners."""
    return fhir(resource(*participants, **members), {"Attend-Result": "applied"}, status=201)


type Noticed = tuple[list[str], list[str]]

FIRST: Noticed = ([BOOKED], [])
SECOND: Noticed = ([], [BOOKED])
ROLE = {"resourceType": "PractitionerRole", "id": "r1", "practitioner": doctor("provider2")}
ITO = {"resourceType": "Practitioner", "id": "d1", "identifier": [{"value": "{provider2}"}]}
BY_REFERENCE = {**ROLE, "practitioner": {"reference": "Practitioner/d1"}}

PERFORMERS: dict[str, tuple[Post, Noticed]] = {
    "the performer, not the translator before him": (
        seen_by(taking(doctor("provider"), "translator"), taking(doctor("provider2"), "PPRF")),
        SECOND,
    ),
    "the attender, not the referrer": (
        seen_by(taking(doctor("provider2"), "ATND"), taking(doctor("provider"), "REF")),
        SECOND,
    ),
    "the only practitioner, whatever his type": (seen_by(taking(doctor("provider"), "SPRF")), FIRST),
    "not the performer who declined": (
        seen_by(taking(doctor("provider"), "PPRF", "declined"), taking(doctor("provider2"))),
        SECOND,
    ),
    "whose role it is that the Appointment contains": (
        seen_by(taking({"reference": "#r1"}), contained=[ROLE]),
        SECOND,
    ),
    "not the one whose role is over": (
        seen_by(
            taking({"reference": "#r1"}), taking(doctor("provider")), contained=[{**ROLE, "period": {"end": "2020"}}]
        ),
        FIRST,
    ),
    "whose role it is that a message brings, by its absolute URL": (
        fhir(
            message(
                {},
                1,
                BY_REFERENCE,
                ITO,
                participant=[
                    taking({"reference": "urn:uuid:p"}),
                    taking(PLACE),
                    taking({"reference": "https://h/fhir/PractitionerRole/r1"}, "PPRF"),
                ],
            )
        ),
        SECOND,
    ),
}


PERFORMERS |= {
    "the primary performer, whom the attender is listed before": (
        seen_by(taking(doctor("provider2"), "ATND"), taking(doctor("provider"), "PPRF")),
        FIRST,
    ),
    "not the performer whose time is over": (
        seen_by({**taking(doctor("provider2"), "PPRF"), "period": {"end": "2020"}}, taking(doctor("provider"))),
        FIRST,
    ),
}
UNSURE = [("DETAIL_DROPPED", "Appointment.participant")]
TWO = [taking(doctor("provider")), taking(doctor("provider2"))]


def contact(code: str, number: str, **fields: Any) -> dict[str, Any]:
    """Return a Patient.contact."""
    return {"relationship": [{"coding": [{"code": code}]}], "telecom": [phone(number)], **fields}


OVER = {"end": "2020-06-30"}
NAMES: dict[str, tuple[list[dict[str, Any]], str]] = {
    "official before usual": ([{"use": "usual", "given": ["Bob"]}, {"use": "official", "given": ["Robert"]}], "Robert"),
    "not an official one that is over": (
        [{"use": "official", "given": ["Ben"], "period": OVER}, {"use": "usual", "given": ["Bea"]}],
        "Bea",
    ),
    "not the old one": ([{"use": "old", "given": ["Ben"]}, {"given": ["Ann"], "family": "Lee"}], "Ann"),
    "from the text, family name first": ([{"text": "Meier, Anna"}], "Anna"),
    "from the text, with a title": ([{"use": "official", "text": "Dr. Anna van der Berg"}], "Anna"),
}

OLD_ONE = {"use": "old", "given": ["Ben"]}
CHILD: dict[str, Any] = {"name": [{"given": ["Tim"], "family": "Lee"}], "birthDate": "2019-05-01"}
GROWN_UP = {**CHILD, "birthDate": "1985-05-01"}
NEUTRAL, GREETED = [("sms", "Your appointment is booked")], [("sms", "Tim, your appointment is booked")]
TOLD_OF = {"given_name": "Tim", "mobile": "+447911234039", "contact_of": "guardian"}

CASES = (
    *(Case(f"the provider is {who}", [post], noticed=noticed) for who, (post, noticed) in PERFORMERS.items()),
    *(
        Case(
            f"greeted by name: {which}",
            [fhir(message({"name": names, "telecom": [phone(f"+4479112340{number:02d}")]}))],
            told_at={f"+4479112340{number:02d}": [("sms", f"{name}, your appointment is booked")]},
        )
        for number, (which, (names, name)) in enumerate(NAMES.items())
    ),
    Case(
        "no name that counts: greeted neutrally",
        [fhir(message({"name": [OLD_ONE], "telecom": [phone("+447911234020")]}))],
        told_at={"+447911234020": NEUTRAL},
    ),
    Case(
        "of two unmarked practitioners nobody is told, and their order is no news",
        [
            fhir(resource(*TWO), status=201, warnings=UNSURE),
            fhir(resource(*reversed(TWO), minutesDuration=9), {"Attend-Result": "repeat"}, warnings=UNSURE),
        ],
        noticed=([], []),
        held={"version": 1},
    ),
    Case(
        "of two unmarked practitioners the one who is known stays",
        [seen_by(TWO[0]), fhir(resource(*reversed(TWO)), {"Attend-Result": "repeat"}, warnings=UNSURE)],
        noticed=FIRST,
    ),
    Case(
        "a mother of whom nobody knows whether he is a child is not told",
        [fhir(message({"contact": [contact("MTH", "07911 234040")]}))],
        told_at={"+447911234040": []},
    ),
    Case(
        "a guardian's number that is old now is taken away",
        [
            fhir(message({**CHILD, "contact": [contact("MTH", "07911 234041")]})),
            fhir(
                message(
                    {**CHILD, "contact": [contact("MTH", "07911 234041", period=OVER)]},
                    2,
                    start="{S+1d}",
                    end="{E+1d}",
                )
            ),
        ],
        told_at={"+447911234041": NEUTRAL},
    ),
    Case(
        "two patients are refused",
        [
            fhir(
                resource(taking({"type": "Patient", "identifier": {"value": "{other}"}})),
                {"issue.0.details.coding.0.code": "SEVERAL_PATIENTS"},
                status=422,
            )
        ],
        told=[],
        told_other=[],
    ),
    Case(
        "a patient and the absolute URL of the same are one",
        [
            fhir(
                resource(
                    taking({"reference": "https://h/fhir/Patient/{mark}/_history/2"}),
                    patient={"reference": "Patient/{mark}"},
                ),
                {"Attend-Result": "applied"},
                status=201,
            )
        ],
        held={"status": "booked"},
    ),
    Case(
        "a child's mother is told, and not greeted as the child",
        [fhir(message({**CHILD, "contact": [contact("MTH", "07911 234030")]}))],
        told_at={"+447911234030": NEUTRAL},
    ),
    Case(
        "a guardian is told of whom the age is not known; the one whose time is over is not",
        [
            fhir(
                message({"contact": [contact("FTH", "07911 234031", period=OVER), contact("guardian", "07911 234032")]})
            )
        ],
        told_at={"+447911234031": [], "+447911234032": NEUTRAL},
    ),
    Case(
        "a child with a number of his own is told himself",
        [fhir(message({**CHILD, "telecom": [phone("07911 234033")], "contact": [contact("MTH", "07911 234034")]}))],
        told_at={"+447911234033": GREETED, "+447911234034": []},
    ),
    Case(
        "a grown-up's mother is not told",
        [fhir(message({**GROWN_UP, "contact": [contact("MTH", "07911 234035")]}))],
        told_at={"+447911234035": []},
    ),
    Case(
        "a child whose own number is none: his mother is told, and the number is named",
        [
            fhir(
                message({**CHILD, "telecom": [phone("n/a")], "contact": [contact("GUARD", "07911 234036")]}),
                warnings=[("DETAIL_DROPPED", "patient.phone")],
            )
        ],
        told_at={"+447911234036": NEUTRAL},
    ),
    Case(
        "once he has a number of his own, he is told and greeted",
        [
            fhir(message({**CHILD, "contact": [contact("MTH", "07911 234037")]})),
            fhir(message({"telecom": [phone("07911 234038")]}, 2, start="{S+1d}", end="{E+1d}")),
        ],
        told_at={"+447911234037": NEUTRAL, "+447911234038": [("sms", "Tim, your appointment")]},
    ),
    Case(
        "a guardian that our own route tells of",
        [
            Post(TOLD_OF, warnings=None, path="/v1/patients/{other}?source=local", method="PUT"),
            fhir(resource(patient={"type": "Patient", "identifier": {"value": "{other}"}}), status=201),
        ],
        told_at={"+447911234039": NEUTRAL},
    ),
)


def test_of_a_list_what_is_valid_now_and_fits_is_meant(seen: Seen) -> None:
    seen.judge()
