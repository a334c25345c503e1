"""What staff do: the work list (B12), sending modes, preferences with their history (B13)."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from schemas.appointments import Appointment, Status
from tests.support.notifier.bookings_tables import MONDAY
from tests.support.notifier.running import CLINIC, RunningNotifier

pytestmark = pytest.mark.integration
HOUR = timedelta(hours=1)


async def listed(notifier: RunningNotifier, **query: Any) -> list[dict[str, Any]]:
    answer = await notifier.ask("GET", "/v1/work-list", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def acted(notifier: RunningNotifier, notification: object, act: str, **body: Any) -> httpx2.Response:
    return await notifier.ask("POST", f"/v1/work-list/{notification}/{act}", json={"by": "front desk", **body})


async def failed(notifier: RunningNotifier, patient: UUID | None = None) -> Appointment:
    """Return a visit whose confirmation every carrier has refused for good."""
    patient = patient or await notifier.patient(mobile=None)
    notifier.carriers.script(await notifier.address(patient, "email"), 550)
    visit = await notifier.book(patient)
    await notifier.settled(visit, "confirmation", "failed")
    return visit


async def unknown(notifier: RunningNotifier) -> Appointment:
    """Return a visit whose confirmation may have arrived: its lease ran out in the call."""
    patient = await notifier.patient(mobile=None)
    notifier.carriers.script(await notifier.address(patient, "email"), "silent")
    visit = await notifier.book(patient)
    await notifier.settled(visit, "confirmation", "sending")
    await notifier.let_leases_run_out()
    await notifier.settled(visit, "confirmation", "unknown")
    return visit


async def test_b12_what_failed_or_found_no_contact_waits_for_a_person_with_its_reason(
    notifier: RunningNotifier,
) -> None:
    await notifier.start()
    nobody = await notifier.book(await notifier.patient(mobile=None, email=None), starts_at=MONDAY + 3 * HOUR)
    await notifier.settled(nobody, "confirmation", "skipped")
    refused = await failed(notifier)
    fine = await notifier.book(await notifier.patient())
    await notifier.settled(fine, "confirmation", "accepted")

    items = await listed(notifier)

    assert [(item["appointment_id"], item["state"], item["reason"]) for item in items] == [
        (str(nobody.appointment_id), "skipped", "NO_CONTACT"),
        (str(refused.appointment_id), "failed", "REFUSED"),
    ]
    assert [item["actions"] for item in items] == [["resend", "drop"]] * 2
    assert (items[0]["patient_name"], items[0]["clinic_id"]) == ("Ada Abara", CLINIC)
    assert [item["reason"] for item in await listed(notifier, reason="REFUSED")] == ["REFUSED"]
    assert await listed(notifier, clinic="SOUTH") == []
    first = (await notifier.ask("GET", "/v1/work-list", params={"limit": 1})).json()
    rest = (await notifier.ask("GET", "/v1/work-list", params={"limit": 1, "after": first["next_after"]})).json()
    assert [item["notification_id"] for page in (first, rest) for item in page["items"]] == [
        item["notification_id"] for item in items
    ]
    assert rest["next_after"] is None
    notifier.step(timedelta(days=10))
    assert await listed(notifier) == []


async def test_b12_sent_again_by_a_person_it_is_a_new_message_once_whoever_asks_twice(
    notifier: RunningNotifier,
) -> None:
    await notifier.start()
    visit = await failed(notifier)
    [item] = await listed(notifier)

    answers = await asyncio.gather(*(acted(notifier, item["notification_id"], "resend") for _ in range(5)))

    told = [answer.json() for answer in answers]
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(one["repeat"] for one in told) == [False, True, True, True, True]
    [new] = {one["resent_as"] for one in told}
    row = await notifier.settled(visit, "confirmation", "accepted")
    assert (str(row["notification_id"]), row["ordinal"], row["caused_by"]) == (new, 1, item["notification_id"])
    assert await listed(notifier) == []
    assert (await acted(notifier, item["notification_id"], "drop")).json()["code"] == "NOT_ON_LIST"
    audit = await notifier.pool.fetch("SELECT action, acted_by FROM work_list_action")
    assert [tuple(line) for line in audit] == [("resend", "front desk")]


async def test_b12_a_resend_that_would_never_leave_is_refused_with_the_reason(notifier: RunningNotifier) -> None:
    await notifier.start()
    visit = await failed(notifier)
    [item] = await listed(notifier)
    await notifier.change(visit, status=Status.CANCELLED)

    refused = await acted(notifier, item["notification_id"], "resend")

    assert (refused.status_code, refused.json()["code"]) == (409, "GATE_SHUT")
    assert refused.json()["errors"] == [{"place": "gate", "code": "APPOINTMENT_CANCELLED"}]
    assert await notifier.pool.fetchval("SELECT count(*) FROM work_list_action") == 0


async def test_b12_what_was_dropped_does_not_leave_when_its_patient_has_an_address(notifier: RunningNotifier) -> None:
    await notifier.start()
    dropped, kept = await notifier.patient(mobile=None, email=None), await notifier.patient(mobile=None, email=None)
    visits = [await notifier.book(patient, starts_at=MONDAY + 3 * HOUR) for patient in (dropped, kept)]
    for visit in visits:
        await notifier.settled(visit, "confirmation", "skipped")
    [first, _] = await listed(notifier)
    await acted(notifier, first["notification_id"], "drop")
    gone = next(visit for visit in visits if str(visit.appointment_id) == first["appointment_id"])
    waits = next(visit for visit in visits if visit is not gone)
    for number, visit in enumerate((gone, waits)):  # in this order: when the second has left, the first was judged
        await notifier.register(visit.patient_id, main_file=f"FILE-2027-99999{number}")

    await notifier.settled(waits, "confirmation", "accepted")
    assert (await notifier.settled(gone, "confirmation", "skipped"))["reason"] == "NO_CONTACT"


async def test_b12_dropped_it_is_off_the_list_and_keeps_the_reason_why_it_failed(notifier: RunningNotifier) -> None:
    await notifier.start()
    visit = await failed(notifier)
    [item] = await listed(notifier)

    first, again = [(await acted(notifier, item["notification_id"], "drop")).json() for _ in range(2)]

    assert (first["state"], first["repeat"], again["repeat"]) == ("failed", False, True)
    assert await listed(notifier) == []
    row = await notifier.row(visit, "confirmation")
    assert row is not None
    assert (row["state"], row["reason"]) == ("failed", "REFUSED")


async def test_g5_an_unknown_outcome_is_settled_by_who_found_out_that_it_arrived(notifier: RunningNotifier) -> None:
    await notifier.start()
    visit = await unknown(notifier)
    [item] = await listed(notifier, state="unknown")
    assert item["actions"] == ["settle", "resend", "drop"]

    first, again = [(await acted(notifier, item["notification_id"], "settle", arrived=True)).json() for _ in range(2)]

    assert (first["state"], first["repeat"], again["repeat"]) == ("accepted", False, True)
    row = await notifier.row(visit, "confirmation")
    assert row is not None
    assert (row["state"], row["reason"]) == ("accepted", None)
    assert (await acted(notifier, item["notification_id"], "settle", arrived=False)).status_code == 409
    outcomes = [one.outcome for one in await notifier.outcomes() if one.kind == "confirmation"]
    assert outcomes == ["unknown", "accepted"]


async def test_g5_an_unknown_outcome_that_did_not_arrive_goes_on_to_the_next_channel(notifier: RunningNotifier) -> None:
    patient = await notifier.patient()
    notifier.carriers.script(await notifier.address(patient, "email"), "silent")
    await notifier.start()
    visit = await notifier.book(patient)
    await notifier.settled(visit, "confirmation", "sending")
    await notifier.let_leases_run_out()
    await notifier.settled(visit, "confirmation", "unknown")
    [item] = await listed(notifier)

    await acted(notifier, item["notification_id"], "settle", arrived=False)

    row = await notifier.settled(visit, "confirmation", "accepted")
    assert (row["lane"], row["steps"]) == ("sms", [{"channel": "email", "reason": "UNDELIVERED"}])


async def test_b12_an_unknown_one_that_is_dropped_has_failed_for_the_world(notifier: RunningNotifier) -> None:
    await notifier.start()
    visit = await unknown(notifier)
    [item] = await listed(notifier)

    assert (await acted(notifier, item["notification_id"], "drop")).json()["state"] == "failed"

    row = await notifier.row(visit, "confirmation")
    assert row is not None
    assert (row["state"], row["reason"]) == ("failed", "DROPPED")


async def test_b12_what_is_not_on_the_list_cannot_be_acted_on(notifier: RunningNotifier) -> None:
    await notifier.start()
    visit = await notifier.book(await notifier.patient())
    row = await notifier.settled(visit, "confirmation", "accepted")

    for act, body in (("resend", {}), ("drop", {}), ("settle", {"arrived": True})):
        assert (await acted(notifier, row["notification_id"], act, **body)).json()["code"] == "NOT_ON_LIST"
        assert (await acted(notifier, uuid4(), act, **body)).status_code == 409
    assert (await acted(notifier, row["notification_id"], "settle")).status_code == 422
    refused = await acted(notifier, row["notification_id"], "drop", by="a\nb")
    assert (refused.status_code, refused.json()["code"]) == (422, "INVALID_REQUEST")
    assert [one["place"] for one in refused.json()["errors"]] == ["body.by"]


async def test_a_switch_of_the_mode_counts_for_calls_not_yet_begun_and_is_audited(notifier: RunningNotifier) -> None:
    await notifier.start(sending_mode="hold")
    visit = await notifier.book(await notifier.patient())
    await notifier.settled(visit, "confirmation", "queued")

    held = (await notifier.ask("GET", "/v1/sending")).json()
    assert (held["mode"], held["version"]) == ("hold", 0)
    assert [(one["mode"], one["queued"], one["due"]) for one in held["queued"]] == [("hold", 1, 1)]
    stale = await notifier.ask("PUT", "/v1/sending", json={"mode": "live"}, headers={"If-Match": '"7"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "VERSION_CHANGED")
    live = await notifier.ask(
        "PUT", "/v1/sending", json={"mode": "live", "by": "A. Abara"}, headers={"If-Match": '"0"'}
    )
    assert (live.json()["mode"], live.json()["version"]) == ("live", 1)

    await notifier.settled(visit, "confirmation", "accepted")
    again = await notifier.ask("PUT", "/v1/sending", json={"mode": "live"})
    assert again.json()["version"] == 1
    [change] = (await notifier.ask("GET", "/v1/sending/changes")).json()["items"]
    assert (change["changed_by"], change["before"], change["after"]) == (
        "A. Abara", {"mode": "hold"}, {"mode": "live"},
    )  # fmt: skip


async def test_a_clinics_own_mode_comes_before_the_installations(notifier: RunningNotifier) -> None:
    await notifier.start(sending_mode="live")
    path = f"/v1/clinics/{CLINIC}/sending"
    chosen = {"mode": "hold", "channel_windows": {"sms": ["09:00", "20:00"]}, "allow_list": ["Ada@Example.org"]}
    told = (await notifier.ask("PUT", path, json=chosen)).json()
    assert (told["version"], told["effective_mode"], told["allow_list"]) == (1, "hold", ["ada@example.org"])
    visit = await notifier.book(await notifier.patient())
    await notifier.settled(visit, "confirmation", "queued")

    assert (await notifier.ask("GET", path)).json()["queued"] == 1
    assert (await notifier.ask("PUT", path, json=chosen)).json()["version"] == 1
    assert (await notifier.ask("PUT", path, json={"mode": None})).json()["effective_mode"] == "live"

    await notifier.settled(visit, "confirmation", "accepted")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"mode": "loud"}, "INVALID_REQUEST"),
        ({"mode": "live", "extra": 1}, "UNKNOWN_FIELD"),
        ({"allow_list": ["07700"]}, "BAD_ADDRESS"),
        ({"channel_windows": {"sms": ["20:00", "09:00"]}}, "BAD_WINDOW"),
        ({"double_over_miss": 1}, "INVALID_REQUEST"),
    ],
)
async def test_a_choice_that_makes_no_sense_is_refused_and_changes_nothing(
    notifier: RunningNotifier, body: dict[str, Any], code: str
) -> None:
    await notifier.start(lanes=())

    answer = await notifier.ask("PUT", f"/v1/clinics/{CLINIC}/sending", json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert await notifier.pool.fetchval("SELECT count(*) FROM clinic_sending") == 0
    assert (await notifier.ask("GET", "/v1/clinics/not a code/sending")).status_code == 422


async def test_b13_what_was_said_when_a_message_left_can_be_shown(notifier: RunningNotifier) -> None:
    await notifier.start()
    patient = await notifier.patient()
    path = f"/v1/patients/{patient}/preferences"
    on = {"whatsapp": False, "sms": True, "email": True}
    for said, version in ((on, 1), (on, 1), ({**on, "sms": False}, 2)):
        assert (await notifier.ask("PUT", path, json={**said, "by": "patient portal"})).json()["version"] == version
    first = (await notifier.ask("GET", path, params={"version": 1})).json()
    visit = await notifier.book(patient)
    await notifier.settled(visit, "confirmation", "accepted")
    notifier.step(HOUR)
    await notifier.ask("PUT", path, json={**on, "email": False})

    messages = (await notifier.ask("GET", f"/v1/notifications?appointment={visit.appointment_id}")).json()["items"]
    [sent] = [one for one in messages if one["kind"] == "confirmation"]

    assert sent["calls"][0]["preference_version"] == 2
    assert [one["version"] for one in (await notifier.ask("GET", f"{path}/history")).json()["items"]] == [3, 2, 1]
    as_of = (await notifier.ask("GET", path, params={"at": sent["created_at"]})).json()
    assert (as_of["version"], as_of["sms"], as_of["changed_by"]) == (2, False, "patient portal")
    assert first["sms"] is True
    before = await notifier.ask("GET", path, params={"at": (MONDAY - HOUR).isoformat()})
    assert (before.status_code, before.json()["code"]) == (404, "NO_PREFERENCES")
    stale = await notifier.ask("PUT", path, json=on, headers={"If-Match": "1"})
    assert stale.status_code == 412


async def test_b13_changes_at_once_have_a_version_each(notifier: RunningNotifier) -> None:
    await notifier.start(lanes=())
    path = f"/v1/patients/{uuid4()}/preferences"
    bodies = [{"whatsapp": bool(n & 1), "sms": bool(n & 2), "email": bool(n & 4)} for n in range(8)]

    answers = await asyncio.gather(*(notifier.ask("PUT", path, json=body) for body in bodies))

    assert sorted(answer.json()["version"] for answer in answers) == list(range(1, 9))


async def test_b12_patients_with_visits_ahead_who_cannot_be_reached_are_listed_with_the_reason(
    notifier: RunningNotifier,
) -> None:
    await notifier.start()
    nobody = await notifier.patient(mobile=None, email=None)
    off, fine = await notifier.patient(), await notifier.patient()
    refused = await notifier.patient(mobile=None)
    await notifier.ask(
        "PUT", f"/v1/patients/{off}/preferences", json={"whatsapp": False, "sms": False, "email": False}
    )  # fmt: skip
    for hours, patient in ((2, nobody), (3, off), (4, fine)):
        visit = await notifier.book(patient, starts_at=MONDAY + hours * HOUR)
        await notifier.settled(visit, "confirmation", "skipped", "accepted")
    await notifier.settled(await notifier.book(nobody, starts_at=MONDAY + 5 * HOUR), "confirmation", "skipped")
    await failed(notifier, refused)

    first = (await notifier.ask("GET", "/v1/contacts/quality", params={"limit": 2})).json()
    rest = (await notifier.ask("GET", "/v1/contacts/quality", params={"after": first["next_after"]})).json()

    items = first["items"] + rest["items"]
    assert [(item["patient_id"], item["reason"]) for item in items] == [
        (str(nobody), "NO_CONTACT"), (str(off), "CHANNELS_DISABLED"), (str(refused), "REFUSED"),
    ]  # fmt: skip
    assert rest["next_after"] is None
    only = (await notifier.ask("GET", "/v1/contacts/quality", params={"reason": "REFUSED"})).json()["items"]
    assert [item["patient_id"] for item in only] == [str(refused)]
    elsewhere = (await notifier.ask("GET", "/v1/contacts/quality", params={"clinic": "SOUTH"})).json()
    assert (elsewhere["items"], elsewhere["looked_at"]) == ([], 0)
    bad = await notifier.ask("GET", "/v1/contacts/quality", params={"after": "x"})
    assert (bad.status_code, bad.json()["code"]) == (422, "BAD_CURSOR")
