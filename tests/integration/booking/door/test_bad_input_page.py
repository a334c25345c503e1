"""`docs/bad-input.md` says what the live door answers: every row of it is asked, and every answer is in it."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx2

from booking.appointments.domain.statuses import CANCELLED_BY_PATIENT
from booking.door.domain import Client
from tests.integration.booking.door.bad_input import BAD, Bad, patient
from tests.integration.booking.door.test_bad_input import code_of
from tests.integration.booking.policies.policy import PATH, WEEK
from tests.support.booking.door import KEY, OPERATOR_KEY, Door, booking
from tests.support.examples import ROOT

PAGE = ROOT / "docs" / "bad-input.md"
SECTIONS = ("The body", "The event", "A FHIR message", "People", "Reminder policies", "Who asks")
"""Those that speak of booking's HTTP."""

type Answer = tuple[int, str]
"""Status and code."""


def rows(page: Path) -> Iterator[tuple[str, Answer]]:
    """Yield (section, status and code) of every row; a row with several codes gives each of them its status."""
    section = ""
    for line in page.read_text().splitlines():
        if line.startswith("## "):
            section = line[3:]
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 3 or section not in SECTIONS:
            continue
        statuses = [int(status) for status in re.findall(r"\b[2-5]\d\d\b", cells[1])]
        codes = re.findall(r"`([A-Z][A-Z0-9_]+)`", cells[2])
        for place, code in enumerate(codes if statuses else ()):
            yield section, (statuses[place] if len(statuses) > 1 else statuses[0], code)


def policy(status: int, code: str, body: object, method: str = "PUT", path: str = PATH) -> Bad:
    return Bad(method, path, body, status, code)


POLICIES = (
    policy(422, "LEAD_REQUIRED", {"rules": [{}]}),
    policy(422, "NUMBER_OUT_OF_RANGE", {"rules": [{"lead_hours": 2_161}]}),
    policy(422, "DUPLICATE_RULE", {"rules": [{"lead_hours": 2}, {"lead_hours": 2}]}),
    policy(422, "TOO_MANY_RULES", {"rules": [{"lead_hours": hours} for hours in range(1, 12)]}),
    policy(422, "UNKNOWN_FIELD", {**WEEK, "strat": 1}),
    policy(422, "SERVICE_TYPE_CONFLICT", {**WEEK, "service_type": "B"}, path=f"{PATH}?service_type=A"),
    policy(404, "UNKNOWN_CLINIC", WEEK, path="/v1/clinics/NONE/reminder-policy"),
    policy(404, "UNKNOWN_POLICY_VERSION", None, "GET", f"{PATH}/changes/9"),
)


async def conflicts(door: Door) -> list[httpx2.Response]:
    """Ask what only an event or a patient taken before makes wrong."""
    await door.post({**booking("c1", "w1"), "sequence": 1})
    await door.put("/v1/patients/carl", {"given_name": "Carl", "main_file": "FILE-2026-000077"})
    await door.put("/v1/patients/cora", {"given_name": "Cora"})
    asked = (
        ("POST", "/v1/events", booking("c1", "w1", status="cancelled")),
        ("POST", "/v1/events", {**booking("c2", "w1", status="cancelled"), "sequence": 1}),
        ("PUT", "/v1/patients/dora", {"given_name": "Dora", "main_file": "FILE-2026-000077"}),
        ("PUT", "/v1/patients/carl", {"given_name": "Carl", "main_file": "FILE-2026-000078"}),
        ("POST", "/v1/events", {**booking(" e9")}),
    )
    answers = [await door.ask(*one) for one in asked]
    await door.pool.execute("UPDATE main_file_counter SET last = 999999")
    full = await door.ask("PUT", "/v1/patients/eve", {"given_name": "Eve"})
    await door.pool.execute("DELETE FROM main_file_counter")
    return [*answers, full]


async def named(door: Door) -> list[httpx2.Response]:
    """Ask of visits of several names: two of them as of one, and one that has another's number."""
    asked = [(("a", "1"),), (("a", "2"), ("b", "2")), (("a", "1"), ("a", "2")), (("a", "1"), ("b", "2"))]
    place = {"type": "Location", "identifier": {"system": "urn:clinic", "value": "eye"}}
    actors = [{"actor": actor, "status": "accepted"} for actor in ({"reference": "Patient/ann"}, place)]
    body = {"resourceType": "Appointment", "status": "booked", "start": "2027-03-12T10:00:00Z", "participant": actors}
    answers = []
    for names in asked:
        identifiers = [{"system": f"urn:{system}", "value": value} for system, value in names]
        answers.append(await door.ask("POST", "/fhir/R4/Appointment", {**body, "identifier": identifiers}))
    return answers[2:]


async def strangers(door: Door) -> list[httpx2.Response]:
    """Ask without a key, and with keys that do not reach so far."""
    plain = await door.client(Client("plain", ("local",), ("EYE",)))
    desk = await door.client(Client("desk", ("local",), ("EYE",), may_register=True))
    await door.post(booking("h1", "h1", clinic="HIV", patient={"id": "hal"}))
    return [
        *[await door.ask("POST", "/v1/events", booking(), key=key) for key in (None, "unknown", "two\twords")],
        await door.ask("POST", "/v1/events", {**booking(), "source": "other"}),
        await door.ask("POST", "/v1/events", booking(clinic="HIV"), key=plain),
        await door.ask("PUT", "/v1/patients/bob", {"given_name": "Bob"}, key=plain),
        await door.ask("PUT", PATH, WEEK, key=plain),
        await door.ask("PUT", "/v1/clinics/EYE", {"name": "Eye", "zone": "Europe/London"}, key=plain),
        await door.ask("PUT", "/v1/patients/hal", {"given_name": "Hal"}, key=desk),
    ]


async def in_part(door: Door) -> list[httpx2.Response]:
    """Ask what cannot be changed in part."""
    asked: list[tuple[str, dict[str, str]]] = [
        ("patients/carl", {"if_match": '"9"'}),
        ("patients/carl", {"if_match": "newest"}),
        ("patients/carl", {"content_type": "application/json-patch+json"}),
        ("patients/nobody", {}),
        ("providers/nobody", {}),
    ]
    return [await door.ask("PATCH", f"/v1/{path}", {}, **headers) for path, headers in asked]


async def odd_but_taken(door: Door) -> list[httpx2.Response]:
    """Ask what is taken all the same: an odd step, details that cannot be kept, names with syntax in them."""
    asked = (
        ("POST", "/v1/events", {**booking("d1", "w2"), "reason": "x" * 240, "strat": 1}),
        ("POST", "/v1/events", booking("d2", "w3", end="2027-03-12T10:00:00Z")),
        ("POST", "/v1/events", {**booking("o1", "w4"), "occurred_at": "2199-01-01T00:00:00Z"}),
        ("POST", "/v1/events", {**booking("o2", "w5"), "sequence": 9, "occurred_at": "2020-01-01T00:00:00Z"}),
        ("POST", "/v1/events", {**booking("o3", "w5"), "sequence": 1, "occurred_at": "2020-01-02T00:00:00Z"}),
        ("POST", "/v1/events", booking("c3", "w1", status="fulfilled")),
        ("POST", "/v1/events", booking("c4", "w1", status="proposed")),
        ("POST", "/v1/events", booking("c5", "w9", status="arrived")),
        ("PUT", "/v1/patients/nameless", {"givenname": "Zoe"}),
        ("PUT", "/v1/patients/html", patient("", given_name="{{7*7}}", family_name="<b>").body),
    )
    answers = [await door.ask(*one) for one in asked]
    assert {answer.status_code for answer in answers} == {200}
    return answers


async def enforced(door: Door) -> httpx2.Response:
    """Ask for a step back from a source that is enforced."""
    path, steps = "/v1/sources/strict/transitions", ("booked", "fulfilled", "proposed")
    assert (await door.ask("PUT", path, {"mode": "enforce"}, key=OPERATOR_KEY)).status_code == 200
    strict = await door.client(Client("strict", ("strict",)))
    *_, last = [
        await door.ask("POST", "/v1/events", booking(f"s-{status}", "s1", status=status), key=strict)
        for status in steps
    ]
    return last


async def known_better(door: Door) -> list[httpx2.Response]:
    """Ask what would undo a patient's answer, a no-show that was found, and a cancellation at the desk.

    The first two are rows without upstream's word, as the release before writes them.
    """
    changed = """
        UPDATE appointment SET status = $2, caused_by = $3, reason = $4, said_version = NULL FROM appointment_alias
        WHERE appointment_alias.appointment_id = appointment.appointment_id AND source_id = $1"""
    booked = await door.post([booking("k1", "w6"), booking("k2", "w7"), booking("k3", "w8")])
    await door.pool.execute(changed, "w6", "cancelled", "patient-reply/1", CANCELLED_BY_PATIENT)
    await door.pool.execute(changed, "w7", "noshow", "no-show/EYE/1", None)
    order = {"ids": [booked["results"][2]["appointment_id"]], "event_id": "desk-1", "by": "Ms Desk"}
    assert (await door.ask("POST", "/v1/appointments/cancel", order)).status_code == 200
    return [await door.ask("POST", "/v1/events", booking(f"again-{one}", one)) for one in ("w6", "w7", "w8")]


async def test_every_row_of_the_bad_input_page_is_what_the_door_answers_and_no_answer_is_missing(door: Door) -> None:
    await door.put("/v1/clinics/HIV", {"name": "Other", "zone": "Europe/London"})
    eye = {"name": "Eye Clinic", "zone": "Europe/London", "country": "GB"}
    await door.put("/v1/clinics/EYE", {**eye, "identifiers": [{"system": "urn:clinic", "value": "eye"}]})
    answers = [await door.ask(bad.method, bad.path, bad.body, key=KEY) for bad in BAD.values()]
    answers += [await door.ask(bad.method, bad.path, bad.body, key=OPERATOR_KEY) for bad in POLICIES]
    answers += await conflicts(door) + await strangers(door) + await in_part(door)
    taken = await odd_but_taken(door) + await known_better(door)
    two, shared = await named(door)
    answers += [two, await enforced(door)]

    found = {(answer.status_code, code_of(answer)) for answer in answers}
    found |= {(answer.status_code, w["code"]) for answer in taken for w in answer.json().get("warnings", ())}
    found |= {(200, code) for code in shared.headers["attend-warnings"].split(", ")}
    said = {answer for _, answer in rows(PAGE)}
    assert said - found == set(), "the page says what the door does not"
    assert found - said == set(), "the door says what the page does not"
