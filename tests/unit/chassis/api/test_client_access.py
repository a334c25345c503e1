"""Who reads by a client's key: booking is asked, seldom and with that key, and what it does not show is not there."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated
from uuid import UUID

import httpx2
import orjson
import pytest
from fastapi import Depends, FastAPI
from pydantic import BaseModel, SecretStr

from chassis.api.app import OperatorKey, create_api
from chassis.api.booking_rights import MOST_IDS, BookingRights, Who
from chassis.api.client_access import NO_VISIT, Asker, ClientAccess
from chassis.api.problems import Problem
from chassis.api.remembered_keys import MOST_REMEMBERED, REMEMBERED_S
from chassis.process.errors import AttendError
from chassis.process.settings import ServiceSettings

OPERATOR_KEY = "the operator's key"
KEY, OTHER, UNKNOWN = (f"the key of {name}, as long as keys are" for name in ("riverside", "hilltop", "nobody"))
RIVERSIDE = Who(client_id="riverside", clinics=("EYE",))
OWN, FOREIGN = UUID(int=1), UUID(int=2)


@dataclass
class Booking:
    """Booking, made up: two clients, and who sees which visit."""

    holders: dict[str, str] = field(default_factory=lambda: {KEY: "riverside", OTHER: "hilltop"})
    asked: list[tuple[str, str]] = field(default_factory=list)
    answers: dict[str, httpx2.Response] = field(default_factory=dict)
    held: asyncio.Event | None = None
    now: float = 100.0

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """Answer as booking does."""
        key = request.headers["authorization"].removeprefix("Bearer ")
        self.asked.append((request.url.path, key))
        if self.held is not None:
            await self.held.wait()
        if request.url.path in self.answers:
            return self.answers[request.url.path]
        if key not in self.holders and key != OPERATOR_KEY:
            return httpx2.Response(401, json={"code": "WRONG_KEY", "detail": ""})
        if request.url.path == "/v1/client":
            return httpx2.Response(200, json={"client_id": self.holders.get(key, "operator"), "clinics": ["EYE"]})
        if request.url.path == "/v1/appointments/seen":
            ids = orjson.loads(request.content)["ids"]
            assert len(ids) <= MOST_IDS
            seen = [one for one in ids if one == str(OWN)] if key == KEY else []
            items = [{"appointment_id": one, "source": "riverside", "source_id": "v1"} for one in seen]
            return httpx2.Response(200, json={"items": items})
        if request.url.path == "/v1/appointments" and request.url.params["id"] == "v1" and key == KEY:
            return httpx2.Response(200, json={"appointment_id": str(OWN), "source": "riverside", "source_id": "v1"})
        return httpx2.Response(404, json={"code": "UNKNOWN_APPOINTMENT", "detail": ""})

    def rights(self) -> BookingRights:
        """Return what asks it."""
        http = httpx2.AsyncClient(transport=httpx2.MockTransport(self), base_url="http://booking")
        return BookingRights(http, lambda: self.now)

    def paths(self) -> list[str]:
        """Return what it was asked."""
        return [path for path, _ in self.asked]


class Body(BaseModel):
    text: str


@pytest.fixture
def booking() -> Booking:
    return Booking()


def shop(rights: BookingRights | None) -> FastAPI:
    """Return an API with a list and an act, of which clients may ask for the list."""
    settings = ServiceSettings.model_construct(operator_key_sha256=SecretStr(sha256(OPERATOR_KEY.encode()).hexdigest()))
    operator = OperatorKey(settings)
    access = ClientAccess(operator, rights, [("GET", "/v1/things"), ("GET", "/v1/things/{thing}/past")])
    api = create_api("Shop", admit=access.admit)

    @api.get("/v1/things")
    async def things(asker: Annotated[Asker, Depends(access)]) -> list[UUID]:
        return await asker.only([OWN, FOREIGN], lambda one: one)

    @api.post("/v1/things", dependencies=[Depends(operator)])
    async def act(body: Body) -> str:
        return body.text

    return api


@pytest.fixture
async def http(booking: Booking) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=shop(booking.rights()))
    async with httpx2.AsyncClient(transport=transport, base_url="http://shop") as client:
        yield client


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def test_who_sent_reads_what_booking_lets_through(booking: Booking, http: httpx2.AsyncClient) -> None:
    own = await http.get("/v1/things", headers=bearer(KEY))
    other = await http.get("/v1/things", headers=bearer(OTHER))
    every = await http.get("/v1/things", headers=bearer(OPERATOR_KEY))

    assert (own.json(), other.json(), every.json()) == ([str(OWN)], [], [str(OWN), str(FOREIGN)])
    assert {key for _, key in booking.asked} == {KEY, OTHER}, "each question goes with the caller's own key"


@pytest.mark.parametrize("key", [UNKNOWN, "short", "", "inbox_of-a-provider-and-as-long-as-keys"])
async def test_g9_nobodys_key_opens_nothing(booking: Booking, http: httpx2.AsyncClient, key: str) -> None:
    assert (await http.get("/v1/things", headers=bearer(key) if key else {})).status_code == 401
    assert ("/v1/client" in booking.paths()) == (len(key) >= 32)


class Unread(httpx2.AsyncByteStream):
    """A body that must not be asked for."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/things"), ("PUT", "/v1/things/1/past"), ("GET", "/v1/x")])
async def test_g9_what_is_not_open_to_clients_is_refused_before_its_body_and_asks_nobody(
    booking: Booking, http: httpx2.AsyncClient, method: str, path: str
) -> None:
    answer = await http.request(method, path, headers=bearer(KEY), content=Unread())

    assert (answer.status_code, answer.json()["code"]) == (401, "WRONG_KEY")
    assert booking.asked == []


async def test_without_bookings_address_clients_are_refused_and_the_operator_is_not() -> None:
    transport = httpx2.ASGITransport(app=shop(None))
    async with httpx2.AsyncClient(transport=transport, base_url="http://shop") as http:
        assert (await http.get("/v1/things", headers=bearer(KEY))).status_code == 401
        assert (await http.get("/v1/things", headers=bearer(OPERATOR_KEY))).status_code == 200
    with pytest.raises(Problem, match="not told where booking answers"):
        await Asker(None).visit(None, "riverside", "v1")


@pytest.mark.parametrize("status", [500, 502, 503, None])
async def test_while_booking_is_away_clients_may_come_again_and_the_operator_goes_on(
    booking: Booking, http: httpx2.AsyncClient, status: int | None
) -> None:
    booking.answers["/v1/client"] = httpx2.Response(status or 200, json={"not": "the shape"})

    answer = await http.get("/v1/things", headers=bearer(KEY))

    assert (answer.status_code, answer.json()["code"]) == (503, "BOOKING_UNAVAILABLE")
    assert answer.headers["retry-after"] == "1"
    assert (await http.get("/v1/things", headers=bearer(OPERATOR_KEY))).status_code == 200


async def test_a_key_is_looked_up_once_in_two_seconds_and_a_revoked_one_opens_nothing_then(booking: Booking) -> None:
    rights = booking.rights()
    assert await rights.who(KEY) == await rights.who(KEY)
    assert booking.paths() == ["/v1/client"]

    del booking.holders[KEY]
    booking.now += REMEMBERED_S - 0.01
    assert await rights.who(KEY) is not None
    booking.now += 0.01
    assert await rights.who(KEY) is None
    assert await rights.who(KEY) is None
    assert booking.paths() == ["/v1/client"] * 3, "what nobody holds is not remembered"


async def test_questions_about_one_key_at_once_are_one(booking: Booking) -> None:
    rights, booking.held = booking.rights(), asyncio.Event()
    asking = [asyncio.create_task(rights.who(KEY)) for _ in range(20)]
    await asyncio.sleep(0)
    asking[0].cancel()
    booking.held.set()

    found = await asyncio.gather(*asking, return_exceptions=True)

    assert len(booking.asked) == 1
    assert isinstance(found[0], asyncio.CancelledError)
    assert all(one == found[1] for one in found[1:])


async def test_keys_are_remembered_up_to_a_number(booking: Booking) -> None:
    rights = booking.rights()
    booking.holders |= {f"{KEY} {n}": f"c{n}" for n in range(MOST_REMEMBERED)}
    await rights.who(KEY)
    for n in range(MOST_REMEMBERED):
        await rights.who(f"{KEY} {n}")
    booking.asked.clear()

    await rights.who(f"{KEY} {MOST_REMEMBERED - 1}")
    await rights.who(KEY)

    assert len(booking.asked) == 1, "the last is remembered, the first is not any more"


async def test_more_visits_than_one_question_takes_are_asked_in_several(booking: Booking) -> None:
    asker = Asker(RIVERSIDE, KEY, booking.rights())
    items = [OWN, *(UUID(int=n) for n in range(10, 2 * MOST_IDS))]

    assert await asker.only(items, lambda one: one) == [OWN]
    assert len(booking.asked) == 2
    assert await asker.only([], lambda one: one) == []
    assert await asker.only([None], lambda one: one) == []
    assert len(booking.asked) == 2, "of no visit nothing is asked"


@pytest.mark.parametrize("owns", [(), (0,), (3, 7), (4, 5, 6), (9,), tuple(range(10))])
@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_g9_pages_of_a_list_are_those_of_ones_own_items_as_if_there_were_no_others(
    booking: Booking, owns: tuple[int, ...], limit: int
) -> None:
    asker = Asker(RIVERSIDE, KEY, booking.rights())

    async def read(after: int | None, rows: int) -> tuple[list[int], int | None]:
        """Ten items, never more than two at once."""
        first = 0 if after is None else after + 1
        items = list(range(first, min(first + min(rows, 2), 10)))
        return items, None if not items or items[-1] == 9 else items[-1]

    pages, after = list[list[int]](), None
    while True:
        items, more = await asker.own_page(read, after, limit, lambda one: OWN if one in owns else FOREIGN)
        pages.append(items)
        if not more:
            break
        after = items[-1]

    assert pages == ([list(owns[n : n + limit]) for n in range(0, len(owns), limit)] or [[]])


def test_g9_a_client_lists_a_patient_or_a_clinic_that_it_sees() -> None:
    patient = UUID(int=3)
    given: dict[tuple[tuple[str, ...], UUID | None, str | None], bool] = {
        (("EYE",), None, "EYE"): True,
        (("EYE",), patient, None): True,
        (("EYE",), patient, "EYE"): True,
        (("EYE",), None, "ONC"): False,
        (("EYE",), patient, "ONC"): False,
        (("*",), None, "ONC"): True,
    }
    no_filter = AttendError("NO_FILTER", "name a patient or a clinic")
    for (clinics, whom, clinic), seen in given.items():
        assert Asker(Who(client_id="riverside", clinics=clinics)).may_list(whom, clinic, no_filter) is seen
    with pytest.raises(AttendError) as refused:
        Asker(RIVERSIDE).may_list(None, None, no_filter)
    assert refused.value is no_filter
    assert Asker(None).may_list(None, None, no_filter)


@pytest.mark.parametrize(
    ("visit", "source", "name", "found"),
    [
        (None, None, None, None),
        (OWN, None, None, OWN),
        (FOREIGN, None, None, NO_VISIT),
        (None, "riverside", "v1", OWN),
        (None, None, "v1", OWN),
        (None, "riverside", "v2", NO_VISIT),
    ],
)
async def test_a_visit_that_is_not_seen_is_as_one_that_is_not_there(
    booking: Booking, visit: UUID | None, source: str | None, name: str | None, found: UUID | None
) -> None:
    assert await Asker(RIVERSIDE, KEY, booking.rights()).visit(visit, source, name) == found


@pytest.mark.parametrize("given", [(OWN, None, "v1"), (OWN, "riverside", None), (None, "riverside", None)])
async def test_a_visit_is_named_once_and_whole(
    booking: Booking, given: tuple[UUID | None, str | None, str | None]
) -> None:
    with pytest.raises(Problem) as refused:
        await Asker(RIVERSIDE, KEY, booking.rights()).visit(*given)
    assert (refused.value.status, refused.value.code) == (422, "ONE_VISIT")


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (403, {"code": "FOREIGN_PATIENT", "detail": "Not all clinics."}, "FOREIGN_PATIENT"),
        (404, {"code": "UNKNOWN_PATIENT", "detail": "No such patient."}, "UNKNOWN_PATIENT"),
        (422, {"code": "SOURCE_REQUIRED", "detail": "x", "errors": [{"place": "source", "code": "x"}]},
         "SOURCE_REQUIRED"),
        (418, ["tea"], "REFUSED_BY_BOOKING"),
    ],
)  # fmt: skip
async def test_what_booking_refuses_is_refused_in_its_words(
    booking: Booking, status: int, body: object, code: str
) -> None:
    booking.answers["/v1/client/patient"] = httpx2.Response(status, json=body)

    with pytest.raises(Problem) as refused:
        await Asker(RIVERSIDE, KEY, booking.rights()).patient(None, "riverside", "ann")
    assert (refused.value.status, refused.value.code) == (status, code)


async def test_a_key_of_any_letters_goes_to_booking_as_it_came(booking: Booking) -> None:
    key = "schlüssel-" * 5
    booking.holders[key] = "riverside"

    assert await booking.rights().who(key) is not None


def test_the_record_has_the_client_and_whom_it_names() -> None:
    given: Mapping[tuple[str | None, str | None], str] = {
        (None, None): "operator",
        (None, "A. Abara"): "A. Abara",
        ("riverside", None): "riverside",
        ("riverside", "A. Abara"): "riverside/A. Abara",
    }
    assert {asked: Asker(RIVERSIDE if asked[0] else None).by(asked[1]) for asked in given} == given
