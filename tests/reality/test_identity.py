"""Who is meant: whatever a message lists first, one visit is one, and two people are two."""

from datetime import timedelta
from typing import Any

from tests.support.reality import Case, Post, Seen, fhir

LATER = timedelta(minutes=5)  # a cancellation waits for a new booking that may be meant with it

PLACER, FILLER, THIRD = ({"system": f"urn:{name}", "value": "{mark}"} for name in ("placer", "filler", "third"))
BARE = {"value": "P-{mark}"}
BARE_FILLER = {"value": "F-{mark}"}
BOOKED = [("email", "booked")]
NOTICED = "New Appointment Booked"
CANCELLED = [("email", "booked"), ("email", "cancelled")]
CONFLICT = {"issue.0.details.coding.0.code": "IDENTITY_CONFLICT", "issue.0.code": "conflict"}


def visit(turn: int, *identifiers: dict[str, str], id: str | None = None, **fields: Any) -> dict[str, Any]:
    """Return an Appointment of these names; `turn` makes it another event."""
    patient = {"type": "Patient", "identifier": {"value": "{patient}"}}
    actors = [*fields.pop("actors", (patient,)), {"reference": "Location/{clinic}"}]
    named = {**({"identifier": list(identifiers)} if identifiers else {}), **({"id": id} if id else {})}
    times = {"start": "{S}", "end": "{E}", "minutesDuration": turn}
    said = [{"actor": actor, "status": "accepted"} for actor in actors]
    return {"resourceType": "Appointment", "status": "booked", **named, **times, "participant": said, **fields}


def gone(turn: int, *identifiers: dict[str, str], **fields: Any) -> dict[str, Any]:
    """Return its cancellation."""
    return visit(turn, *identifiers, **fields, status="cancelled")


def chain(name: str, *resources: dict[str, Any], asked: str = "urn:placer|{mark}") -> Case:
    """Return a case whose messages are one visit's, booked by the first and cancelled by the last."""
    first, *between, last = resources
    taken = {"Attend-Result": "applied"}
    posts = [fhir(first, taken, status=201), *map(fhir, between), fhir(last, taken)]
    return Case(name, posts, held={"status": "cancelled"}, told=CANCELLED, visit=asked)


def another(**fields: Any) -> dict[str, Any]:
    """Return the booking of another visit, a day later."""
    return visit(9, id="w-{mark}", start="{S+1d}", end="{E+1d}", **fields)


def registered(name: str) -> Post:
    """Return the registration of the other patient under a name."""
    body = {"given_name": "Ben", "mobile": "{other_mobile}", "email": "{other_email}", "consent": True}
    return Post(body, warnings=None, path=f"/v1/patients/{name}?source=local", method="PUT")


def referred(reference: str, *identifiers: dict[str, str]) -> dict[str, Any]:
    """Return a reference to a person, with an identifier of his beside it."""
    return {"reference": reference, **({"identifier": identifiers[0]} if identifiers else {})}


def inside(*identifiers: Any, turn: int = 1, id: str = "v-{mark}", **fields: Any) -> dict[str, Any]:
    """Return the booking of a patient who is described within it, always as `#pat1`."""
    patient = {"resourceType": "Patient", "id": "pat1", "identifier": list(identifiers)}
    return visit(turn, id=id, actors=[{"reference": "#pat1"}], contained=[patient], **fields)


ADA, BEN = {"value": "{patient}"}, {"value": "{other}"}
MRN, HOUSEHOLD = ({"system": f"urn:{name}", "value": "{mark}"} for name in ("mrn", "household"))
ADAS: dict[str, Any] = {"type": "Patient", "identifier": ADA}
BENS = "Patient/{other}"
WHOS: dict[str, Any] = {"type": "Practitioner", "identifier": {"value": "{provider}"}}
DOCTOR = "Practitioner/{mark}"
WHO = {
    "resourceType": "Practitioner",
    "id": "doctor",
    "identifier": [{"value": "{provider}"}, {"value": "{provider2}"}],
}
PEOPLE = (
    Case(
        "a patient by a reference, then by an identifier beside it, then by the identifier alone",
        [
            registered("Patient%2F{other}"),
            fhir(visit(1, id="v-{mark}", actors=[referred(BENS)]), status=201),
            fhir(visit(2, id="v-{mark}", actors=[referred(BENS, MRN)])),
            fhir(another(actors=[{"type": "Patient", "identifier": MRN}]), status=201),
        ],
        told=[],
        told_other=[*BOOKED, *BOOKED],
    ),
    Case(
        "another version of a patient is the same person",
        [
            registered("Patient%2F{other}"),
            fhir(visit(1, id="v-{mark}", actors=[referred(f"{BENS}/_history/1")]), status=201),
            fhir(another(actors=[referred(f"{BENS}/_history/2")]), status=201),
        ],
        told=[],
        told_other=[*BOOKED, *BOOKED],
    ),
    Case(
        "two patients whom their senders both call #pat1",
        [
            registered("{other}"),
            fhir(inside(ADA), status=201),
            fhir(inside(BEN, turn=2, id="w-{mark}"), status=201),
        ],
        told=BOOKED,
        told_other=BOOKED,
    ),
    Case(
        "names of two known patients: the first is followed",
        [
            registered("{other}"),
            fhir(inside(ADA, BEN), status=201, warnings=[("IDENTITY_CONFLICT", "appointment.patient")]),
        ],
        told=BOOKED,
        told_other=[],
    ),
    Case(
        "two of one household, whose number both messages say",
        [
            registered("{other}"),
            fhir(inside(ADA, HOUSEHOLD), status=201),
            fhir(
                inside(BEN, HOUSEHOLD, turn=2, id="w-{mark}"),
                status=201,
                warnings=[("IDENTITY_CONFLICT", "appointment.patient")],
            ),
        ],
        told=BOOKED,
        told_other=BOOKED,
    ),
    Case(
        "a provider by his number, by a reference beside it, then by another version of the reference alone",
        [
            fhir(visit(1, id="v-{mark}", actors=[ADAS, WHOS]), status=201),
            fhir(visit(2, id="v-{mark}", actors=[ADAS, {**WHOS, "reference": DOCTOR}])),
            fhir(another(actors=[ADAS, referred(f"{DOCTOR}/_history/2")]), status=201),
        ],
        told=[*BOOKED, *BOOKED],
        noticed=([NOTICED, NOTICED], []),
    ),
    Case(
        "names of two known providers: the first is followed",
        [
            fhir(
                visit(1, actors=[ADAS, {"reference": "#doctor"}], id="v-{mark}", contained=[WHO]),
                status=201,
                warnings=[("IDENTITY_CONFLICT", "appointment.provider")],
            )
        ],
        told=BOOKED,
        noticed=([NOTICED], []),
    ),
)

OLD_BENS = {**BEN, "use": "old"}
URL, URL_OF_BEN = "https://ehr.example/fhir/", "https:%2F%2Fehr.example%2Ffhir%2FPatient%2F{other}"
SECOND = [{**one, "value": "{mark}-2"} for one in (PLACER, FILLER)]
MANY = [{"system": f"urn:s{n}", "value": "{mark}"} for n in range(25)]
UNKNOWN = [("DETAIL_DROPPED", "Practitioner.identifier")]
FURTHER = (
    *(
        Case(
            f"a patient's {what} number, which is another's by now, names nobody",
            [registered("{other}"), fhir(inside(former, ADA), status=201)],
            told=BOOKED,
            told_other=[],
        )
        for what, former in (("old", OLD_BENS), ("ended", {**BEN, "period": {"end": "2020"}}))
    ),
    Case(
        "one name of each of two visits that have two: refused, and neither is touched",
        [
            fhir(visit(1, PLACER, FILLER), status=201),
            fhir(visit(2, *SECOND, start="{S+1d}", end="{E+1d}"), status=201),
            fhir(gone(3, PLACER, SECOND[1]), CONFLICT, status=409, warnings=None),
        ],
        held={"status": "booked", "version": 1},
        told=[*BOOKED, *BOOKED],
        visit="urn:placer|{mark}",
    ),
    Case(
        "a patient by an absolute reference, moved by the relative one",
        [
            registered(URL_OF_BEN),
            fhir(visit(1, id="v-{mark}", actors=[{"reference": f"{URL}Patient/{{other}}"}]), status=201),
            fhir(visit(2, id="v-{mark}", start="{S+1d}", end="{E+1d}", actors=[{"reference": BENS}])),
        ],
        told_other=[*BOOKED, ("email", "moved")],
    ),
    Case(
        "a patient by a search for his number",
        [fhir(visit(1, id="v-{mark}", actors=[{"reference": "Patient?identifier={patient}"}]), status=201)],
        told=BOOKED,
    ),
    Case(
        "more names than are kept, then the id alone",
        [
            fhir(visit(1, *MANY, id="v-{mark}"), status=201, warnings=[("DETAIL_DROPPED", "Appointment.identifier")]),
            fhir(gone(2, id="v-{mark}"), {"Attend-Result": "applied"}),
        ],
        held={"status": "cancelled"},
        told=CANCELLED,
        visit="urn:s0|{mark}",
    ),
    Case(
        "a practitioner under a new random reference each time is no other one",
        [
            fhir(
                visit(1, id="v-{mark}", actors=[ADAS, {"type": "Practitioner", "reference": "urn:uuid:1{mark}"}]),
                status=201,
                warnings=UNKNOWN,
            ),
            fhir(
                visit(2, id="v-{mark}", actors=[ADAS, {"type": "Practitioner", "reference": "urn:uuid:2{mark}"}]),
                {"Attend-Result": "repeat"},
                warnings=UNKNOWN,
            ),
        ],
        held={"version": 1},
    ),
)

CASES = (
    *PEOPLE,
    *FURTHER,
    chain("placer and filler, then filler and placer", visit(1, PLACER, FILLER), gone(2, FILLER, PLACER)),
    chain(
        "two numbers without systems in both orders",
        visit(1, BARE, BARE_FILLER),
        gone(2, BARE_FILLER, BARE),
        asked="P-{mark}",
    ),
    chain(
        "an id, then an identifier beside it, then the identifier alone",
        visit(1, id="v-{mark}"),
        visit(2, PLACER, id="v-{mark}"),
        gone(3, PLACER),
    ),
    chain(
        "an id, then a number without a system beside it, then the number alone",
        visit(1, id="v-{mark}"),
        visit(2, BARE, id="v-{mark}"),
        gone(3, BARE),
        asked="v-{mark}",
    ),
    chain(
        "three names of which each message says two",
        visit(1, PLACER, FILLER),
        visit(2, THIRD, FILLER),
        gone(3, THIRD),
    ),
    chain(
        "another of its identifiers became official",
        visit(1, PLACER, FILLER),
        gone(2, PLACER, {**FILLER, "use": "official"}),
        asked="urn:filler|{mark}",
    ),
    chain(
        "booked by the filler alone, cancelled by both",
        visit(1, FILLER),
        gone(2, PLACER, FILLER),
    ),
    Case(
        "plain JSON by an id, FHIR by the id and an identifier, plain JSON by the identifier",
        [
            Post(
                {
                    "event_id": "e-{mark}-1",
                    "appointment": {
                        "id": "v-{mark}",
                        "status": "booked",
                        "patient": {"id": "{patient}"},
                        "clinic": "{clinic}",
                        "start": "{S}",
                    },
                },
                {"result": "applied"},
            ),
            fhir(visit(2, PLACER, id="v-{mark}")),
            Post(
                {"event_id": "e-{mark}-3", "appointment": {"id": "urn:placer|{mark}", "status": "cancelled"}},
                {"result": "applied"},
            ),
        ],
        held={"status": "cancelled"},
        told=CANCELLED,
    ),
    Case(
        "names of two visits: refused, and neither is touched",
        [
            fhir(visit(1, PLACER), {"Attend-Result": "applied"}, status=201),
            fhir(visit(2, FILLER, start="{S+1d}", end="{E+1d}"), {"Attend-Result": "applied"}, status=201),
            fhir(gone(3, PLACER, FILLER), CONFLICT, status=409, warnings=None),
        ],
        held={"status": "booked", "version": 1},
        told=[*BOOKED, *BOOKED],
        visit="urn:placer|{mark}",
    ),
    Case(
        "one value under two systems is two visits",
        [
            fhir(visit(1, PLACER), {"Attend-Result": "applied"}, status=201),
            fhir(gone(2, FILLER), {"Attend-Result": "tombstone"}),
        ],
        held={"status": "booked"},
        told=BOOKED,
        visit="urn:placer|{mark}",
    ),
    Case(
        "two visits under one referral's number",
        [
            fhir(visit(1, PLACER, THIRD), {"Attend-Result": "applied"}, status=201),
            fhir(
                gone(2, {**PLACER, "value": "{mark}-b"}, THIRD),
                {"Attend-Result": "tombstone"},
                warnings=[("IDENTITY_CONFLICT", "appointment.id")],
            ),
        ],
        held={"status": "booked"},
        told=BOOKED,
        visit="urn:third|{mark}",
    ),
)


def test_whoever_is_meant_is_one(seen: Seen) -> None:
    seen.judge()
