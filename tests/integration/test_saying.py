"""What patients want is said by whoever sent them, by the names that their source gave them (decision 0048)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from booking.door.domain import Client
from notifier.opt_outs.store import stop
from notifier.values.addresses import Peppers
from notifier.values.kinds import Category
from schemas.notifications import Channel
from tests.support.asking import Asked, asking
from tests.support.booking.door import OPERATOR_KEY
from tests.support.installation import ADDRESS_PEPPER, Installation

pytestmark = pytest.mark.integration


@pytest.fixture
async def asked(installation: Installation) -> AsyncIterator[Asked]:
    """Give booking with visits, and the others with what followed them."""
    async with asking(installation) as made:
        yield made


ANN = "?source=local&id=ann"
"""She has visits at the client's clinic alone; bob has some elsewhere, and cid is another source's."""


async def test_preferences_are_said_and_read_by_the_sources_id_and_one_channel_by_itself(asked: Asked) -> None:
    path = f"/v1/patients/preferences{ANN}"
    assert (await asked.send("GET", path, None)).json()["code"] == "NO_PREFERENCES"

    first = (await asked.send("PATCH", path, {"whatsapp": True})).json()
    whole = (await asked.send("PUT", path, {"whatsapp": True, "sms": False, "email": False, "by": "A. Abara"})).json()
    one = (await asked.send("PATCH", path, {"email": True, "by": "A. Abara"})).json()
    same = (await asked.send("PATCH", path, {"email": True})).json()
    by_operator = (await asked.send("PATCH", path, {"sms": True}, OPERATOR_KEY)).json()

    said = [(x["version"], x["whatsapp"], x["sms"], x["email"], x["changed_by"]) for x in (first, whole, one, same)]
    assert said == [
        (1, True, True, True, "desk"),
        (2, True, False, False, "desk/A. Abara"),
        (3, True, False, True, "desk/A. Abara"),
        (3, True, False, True, "desk/A. Abara"),
    ]
    assert (by_operator["sms"], by_operator["changed_by"]) == (True, "operator")
    ours = f"/v1/patients/{asked.patient}/preferences"
    for key in (asked.key, OPERATOR_KEY):
        assert (await asked.send("GET", ours, None, key)).json() == by_operator
    history = (await asked.send("GET", f"/v1/patients/preferences/history{ANN}", None)).json()["items"]
    assert [item["version"] for item in history] == [4, 3, 2, 1]


@pytest.mark.parametrize("body", [{}, {"by": "x"}, {"sms": None}, {"sms": "yes"}, {"smss": True}, [], {"sms": 1}])
async def test_what_switches_no_channel_is_refused(asked: Asked, body: object) -> None:
    assert (await asked.send("PATCH", f"/v1/patients/preferences{ANN}", body)).status_code == 422
    assert (await asked.send("GET", f"/v1/patients/preferences{ANN}", None)).status_code == 404


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("?source=local&id=bob", 403, "FOREIGN_PATIENT"),
        ("?source=other&id=cid", 403, "FOREIGN_SOURCE"),
        ("?source=local&id=none", 404, "UNKNOWN_PATIENT"),
        ("?id=ann&source=", 403, "FOREIGN_SOURCE"),
        ("", 422, "INVALID_REQUEST"),
    ],
)
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/patients/preferences", None),
        ("PUT", "/v1/patients/preferences", {"whatsapp": True, "sms": True, "email": True}),
        ("PATCH", "/v1/patients/preferences", {"sms": False}),
        ("GET", "/v1/patients/opt-outs", None),
        ("POST", "/v1/patients/opt-outs/stop", {}),
        ("POST", "/v1/patients/opt-outs/lift", {}),
    ],
)
async def test_g9_preferences_and_opt_outs_are_of_whom_the_client_may_write(
    asked: Asked, method: str, path: str, body: object, query: str, status: int, code: str
) -> None:
    answer = await asked.send(method, f"{path}{query}", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


async def test_g9_without_the_right_to_register_nobodys_preferences_are_read(asked: Asked) -> None:
    plain = await asked.door.client(Client("plain", ("local",)))
    for method, path, body in (
        ("GET", f"/v1/patients/preferences{ANN}", None),
        ("PATCH", f"/v1/patients/{asked.patient}/preferences", {"sms": False}),
        ("POST", f"/v1/patients/{asked.patient}/opt-outs/stop", {}),
    ):
        answer = await asked.send(method, path, body, plain)
        assert (answer.status_code, answer.json()["code"]) == (403, "MAY_NOT_REGISTER")


async def test_d36_opt_outs_are_said_by_the_patient_and_one_channel_is_lifted_alone(asked: Asked) -> None:
    await asked.door.put("/v1/patients/ann", {"given_name": "Ann", "mobile": "+447736312544"})
    path = "/v1/patients/opt-outs"

    nothing = (await asked.send("GET", f"{path}{ANN}", None)).json()
    stopped = (await asked.send("POST", f"{path}/stop{ANN}", {"by": "A. Abara"})).json()
    lifted = (await asked.send("POST", f"{path}/lift{ANN}", {"channels": ["sms"], "categories": ["reminders"]})).json()
    by_address = await asked.send("POST", "/v1/opt-outs/look-up", {"address": "+447736312544"}, OPERATOR_KEY)

    assert nothing == {"patient_id": asked.patient, "items": [], "lifted": [], "without_address": ["email"]}
    assert {(one["channel"], one["category"], one["caused_by"]) for one in stopped["items"]} == {
        (channel, category, "client/desk/A. Abara")
        for channel in ("sms", "whatsapp")
        for category in ("reminders", "notices")
    }
    assert {(one["channel"], one["category"]) for one in lifted["items"]} == {
        ("sms", "notices"), ("whatsapp", "reminders"), ("whatsapp", "notices"),
    }  # fmt: skip
    assert [(x["channel"], x["category"], x["caused_by"]) for x in lifted["lifted"]] == [
        ("sms", "reminders", "client/desk")
    ]
    assert by_address.json()["items"] == lifted["items"]
    assert "+447736312544" not in str((stopped, lifted))
    ours = f"/v1/patients/{asked.patient}/opt-outs"
    assert (await asked.send("GET", ours, None, OPERATOR_KEY)).json() == lifted
    again = (await asked.send("POST", f"{ours}/stop", {"channels": ["sms"]}, OPERATOR_KEY)).json()
    assert again["lifted"] == []
    assert {one["caused_by"] for one in again["items"]} == {"client/desk/A. Abara", "staff/operator"}
    by_kind = (await asked.send("GET", ours, None)).json()["items"]
    assert {one["caused_by"] for one in by_kind} == {"client/desk/A. Abara", "staff"}
    unknown = await asked.send("GET", f"/v1/patients/{uuid4()}/opt-outs", None, OPERATOR_KEY)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "UNKNOWN_PATIENT")


SOMEONES = "+447736312545"
BY_OTHERS = {
    "a reply": (str(UUID(int=5)), "reply"),
    "a mail's link": ("unsubscribe", "unsubscribe"),
    "a carrier": ("carrier", "carrier"),
    "staff": ("staff/A. Abara", "staff"),
    "another client": ("client/desk2/B. Boateng", "client"),
}


@pytest.mark.parametrize("first", [False, True], ids=["theirs alone", "the client's own before"])
async def test_g9_a_client_lifts_nothing_that_it_did_not_stop_itself(
    asked: Asked, installation: Installation, first: bool
) -> None:
    """Whoever registers somebody with a stranger's number has no say over what the stranger stopped."""
    pool, path, now = await installation.pool("notifier"), "/v1/patients/opt-outs", datetime(2027, 3, 1, 9, tzinfo=UTC)
    address = Peppers((ADDRESS_PEPPER.encode(),)).of(SOMEONES)
    await asked.door.put("/v1/patients/ann", {"given_name": "Ann", "mobile": SOMEONES})
    only_sms = {"channels": ["sms"]}

    for cause, kind in BY_OTHERS.values():
        assert (await asked.send("POST", f"{path}/lift{ANN}", {}, OPERATOR_KEY)).json()["items"] == []
        await asked.send("POST", f"{path}/stop{ANN}", {"channels": ["whatsapp", *(["sms"] if first else [])]})
        await stop(pool, address, [Channel.SMS], list(Category), cause, now)
        await stop(pool, address, [Channel.SMS], list(Category), cause, now)
        await asked.send("POST", f"{path}/stop{ANN}", only_sms)

        before = (await asked.send("GET", f"{path}{ANN}", None)).json()
        refused = [await asked.send("POST", f"{path}/lift{ANN}", body) for body in ({}, only_sms)]
        after = (await asked.send("GET", f"{path}{ANN}", None)).json()
        rest = await asked.send("POST", f"{path}/lift{ANN}", {"channels": ["whatsapp"]})

        assert {(one.status_code, one.json()["code"]) for one in refused} == {(403, "STOPPED_BY_OTHERS")}
        assert f"sms reminders by {kind}" in refused[0].json()["detail"]
        assert after == before, "all or nothing"
        assert {(one["channel"], one["caused_by"]) for one in after["items"]} == {
            ("sms", kind), ("whatsapp", "client/desk"),
        }  # fmt: skip
        assert {one["channel"] for one in rest.json()["items"]} == {"sms"}
        assert "Abara" not in str((before, refused[0].text, rest.text))
