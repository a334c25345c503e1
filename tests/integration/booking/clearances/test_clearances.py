"""What is said of a visit's clearances over HTTP: taken once, told, and shown with what lacks."""

from typing import Any

import orjson
import pytest

from booking.door.domain import Client
from tests.integration.booking.clearances.words import MRI, PAY, consent, lacks, paid, required, said, visit
from tests.support.booking.door import OPERATOR_KEY, Door


async def events(door: Door) -> list[tuple[str, str, int, bool]]:
    """Return what is told of clearances: kind, state, version, and whether something lacks then."""
    rows = await door.pool.fetch("SELECT value FROM outbox WHERE topic = 'clearances' ORDER BY id")
    told = [orjson.loads(row["value"]) for row in rows]
    return [(one["kind"], one["state"], one["version"], one["is_missing"]) for one in told]


async def test_a_visit_is_cleared_word_by_word_and_each_change_is_told(door: Door, key: str) -> None:
    await required(door, MRI, PAY)
    path = await visit(door)
    first = await said(door, path, consent(), key)
    then = await said(door, path, paid(), key)
    assert (first["result"], lacks(first["standing"])) == ("applied", [("financial", "MISSING")])
    assert (then["version"], then["standing"]["is_cleared"]) == (2, True)
    back = await said(door, path, {"event_id": "c-2", "kind": "consent", "state": "withdrawn"}, key)
    assert (back["form"], lacks(back["standing"])) == ("mri", [("consent", "WITHDRAWN")])
    assert await events(door) == [
        ("consent", "cleared", 1, True), ("financial", "cleared", 2, False), ("consent", "withdrawn", 3, True),
    ]  # fmt: skip
    (flag,) = (await door.ask("GET", "/v1/visit-flags")).json()["items"]
    assert (flag["code"], path.endswith(flag["appointment_id"])) == ("CLEARANCE_MISSING", True)
    await said(door, path, consent("c-3"), key)
    assert (await door.ask("GET", "/v1/visit-flags")).json()["items"] == []


async def test_the_same_event_again_has_no_second_effect(door: Door, key: str) -> None:
    path = await visit(door)
    await said(door, path, consent(), key)
    await said(door, path, consent("c-2", state="withdrawn"), key)
    again = await said(door, path, consent(), key)
    assert (again["result"], again["original_result"], again["version"]) == ("repeat", "applied", 1)
    other = await said(door, path, consent(form_version="1"), key, status=409)
    assert other["code"] == "EVENT_ID_CONFLICT"
    assert len(await events(door)) == 2
    shown = (await door.ask("GET", f"{path}/clearances")).json()
    assert [one["state"] for one in shown["current"]] == ["withdrawn"]
    assert [(one["event_id"], one["result"]) for one in shown["history"]] == [("c-1", "applied"), ("c-2", "applied")]


async def test_what_was_said_earlier_is_stale_and_kept(door: Door, key: str) -> None:
    path = await visit(door)
    await said(door, path, consent(state="withdrawn", said_at="2027-03-11T08:00:00Z"), key)
    late = await said(door, path, consent("c-0", said_at="2027-03-11T07:00:00Z"), key)
    assert (late["result"], [one["code"] for one in late["warnings"]]) == ("stale", ["STALE"])
    shown = (await door.ask("GET", f"{path}/clearances")).json()
    assert [one["result"] for one in shown["history"]] == ["applied", "stale"]
    assert [one["state"] for one in shown["current"]] == ["withdrawn"]


async def test_a_list_is_answered_word_by_word_in_one_transaction(door: Door, key: str) -> None:
    path = await visit(door)
    told = await said(door, path, [consent(), paid(amount_minor=-1), {"kind": "referral"}, paid("p-2", x=1)], key)
    shown = [(one["status"], one["code"], one["place"]) for one in told["results"]]
    assert shown == [
        (200, None, None), (422, "NEGATIVE_AMOUNT", "amount_minor"), (422, "MISSING_FIELD", "state"), (200, None, None),
    ]  # fmt: skip
    assert told["results"][3]["taken"]["warnings"][0]["code"] == "UNKNOWN_FIELD"
    assert [kind for kind, *_ in await events(door)] == ["consent", "financial"]


async def test_the_visit_itself_says_how_it_stands(door: Door, key: str) -> None:
    path = await visit(door)
    assert (await door.ask("GET", path)).json()["standing"]["checked"] == []
    await required(door, {**PAY, "how": "Pay at the desk.", "link": "https://pay.example.org/eye"}, mode="observe")
    await said(door, path, paid(expires_at="2027-03-12T09:59:00Z"), key)
    stands = (await door.ask("GET", path)).json()["standing"]
    assert (stands["mode"], stands["is_cleared"]) == ("observe", False)
    assert stands["lacking"] == [
        {
            "kind": "financial", "form": None, "code": "EXPIRED", "title": "Payment",
            "whom": "the patient or whoever pays", "how": "Pay at the desk.", "link": "https://pay.example.org/eye",
        }
    ]  # fmt: skip


BAD: list[tuple[dict[str, Any], int, str, str | None]] = [
    (paid(amount_minor=-1), 422, "NEGATIVE_AMOUNT", "amount_minor"),
    (paid(amount_minor=12.5), 422, "WRONG_TYPE", "amount_minor"),
    (paid(currency="XYZ"), 422, "UNKNOWN_CURRENCY", "currency"),
    (paid(currency=None), 422, "MISSING_FIELD", "currency"),
    (consent(patient="ben"), 422, "CONSENT_OF_ANOTHER", "patient"),
    (consent(patient="nobody"), 422, "CONSENT_OF_ANOTHER", "patient"),
    (consent(expires_at="2027-03-09T00:00:00Z"), 422, "EXPIRED_BEFORE_SIGNED", "expires_at"),
    (consent(form_version="9"), 422, "UNKNOWN_FORM_VERSION", "form_version"),
    (consent(form_version=None), 422, "MISSING_FIELD", "form_version"),
    (consent(signed_at="2027-03-12T10:00:00Z"), 422, "NOT_YET", "signed_at"),
    (consent(signed_at="2027-03-10T10:00"), 422, "NAIVE_TIME", "signed_at"),
    (consent(signed_by="doctor"), 422, "UNKNOWN_SIGNER", "signed_by"),
    (consent(state="done"), 422, "UNKNOWN_STATE", "state"),
    (consent(amount_minor=1, currency="GBP"), 422, "NOT_OF_THIS_KIND", "amount_minor"),
    (consent(kind="blood-test"), 422, "UNKNOWN_KIND", "kind"),
    (consent(event_id=None), 422, "MISSING_FIELD", "event_id"),
    (paid(state="waived"), 422, "MISSING_FIELD", "reason"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status", "code", "place"), BAD)
async def test_what_cannot_be_so_is_refused_with_its_place_and_changes_nothing(
    door: Door, key: str, body: dict[str, Any], status: int, code: str, place: str
) -> None:
    await required(door, MRI)
    await visit(door, "v2", patient={"id": "ben"})
    path = await visit(door)
    refused = await said(door, path, body, key, status=status)
    assert (refused["code"], refused["errors"][0]["place"]) == (code, place)
    shown = (await door.ask("GET", f"{path}/clearances")).json()
    assert (shown["current"], shown["history"], await events(door)) == ([], [], [])


async def test_nothing_clears_a_cancelled_visit_but_a_withdrawal_is_taken(door: Door, key: str) -> None:
    path = await visit(door)
    await door.post({"event_id": "x", "appointment": {"id": "v1", "status": "cancelled"}})
    assert (await said(door, path, consent(), key, status=409))["code"] == "VISIT_CANCELLED"
    assert (await said(door, path, consent(state="withdrawn"), key))["result"] == "applied"


WHO = [
    (Client("a", ("local",)), 403, "MAY_NOT_CLEAR"),
    (Client("a", ("web",), may_clear=True), 404, "UNKNOWN_APPOINTMENT"),
    (Client("a", ("local",), ("ENT",), may_clear=True), 404, "UNKNOWN_APPOINTMENT"),
]


@pytest.mark.parametrize(("client", "status", "code"), WHO)
async def test_who_may_not_clear_a_visit(door: Door, client: Client, status: int, code: str) -> None:
    path = await visit(door)
    other = await door.client(client)
    assert (await said(door, path, consent(), other, status=status))["code"] == code


async def test_the_operator_reads_and_clears_nothing(door: Door) -> None:
    path = await visit(door)
    assert (await door.ask("GET", f"{path}/clearances", key=OPERATOR_KEY)).status_code == 200
    assert (await door.ask("POST", f"{path}/clearances", consent(), key=OPERATOR_KEY)).status_code == 401


async def test_a_patient_who_was_merged_is_the_visits_by_either_name(door: Door, key: str) -> None:
    for name in ("ann", "ben"):
        await door.put(f"/v1/patients/{name}", {"given_name": name})
    path = await visit(door)
    merged = await door.ask("POST", "/v1/patients/ann/merge", {"into": {"id": "ben"}})
    assert merged.status_code == 200, merged.text
    for number, name in enumerate(("ann", "ben")):
        assert (await said(door, path, consent(f"c-{number}", patient=name), key))["appointment_id"]
