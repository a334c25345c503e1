"""A parameter or a field that a route does not have is refused, by its place and with the one that is meant (0047)."""

from collections.abc import Iterator
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, Query
from fastapi.testclient import TestClient
from pydantic import BaseModel, ConfigDict, Field

from chassis.api.app import create_api
from chassis.api.door import everybody
from chassis.api.nearest import nearest

KNOWN = ["start", "end", "given_name", "service_type", "mobile", "id"]


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str | None = None


class Order(Inner):
    by: str
    inner: Inner = Inner()
    several: list[Inner] = []


class Filters(BaseModel):
    clinic: str | None = None
    from_: str | None = Field(None, alias="from")
    status: list[str] = []


async def paged(after: Annotated[str | None, Query(max_length=9)] = None) -> None:
    """A dependency with a parameter of its own."""


@pytest.fixture
def client() -> Iterator[TestClient]:
    api = create_api("Shop", admit=everybody, public=("/callbacks",))
    router = APIRouter(prefix="/v1", dependencies=[Depends(paged)])

    @router.get("/things")
    async def things(
        start: str | None = None,
        start_from: Annotated[str | None, Query(alias="from")] = None,
        status: Annotated[list[str] | None, Query()] = None,
    ) -> str:
        return "things"

    @api.get("/filtered")
    async def filtered(filters: Annotated[Filters, Query()]) -> str:
        return "filtered"

    @router.post("/orders")
    async def orders(body: Order) -> str:
        return "ordered"

    @router.get("/plain/{name}")
    async def plain(name: str) -> str:
        return name

    @api.get("/callbacks/carrier")
    async def callback() -> str:
        return "heard"

    api.include_router(router)
    with TestClient(api) as found:
        yield found


@pytest.mark.parametrize(
    ("written", "meant"),
    [("strat", "start"), ("givenname", "given_name"), ("givenName", "given_name"), ("sevice_type", "service_type"),
     ("Start", "start"), ("mobil", "mobile"), ("service-type", "service_type"), ("SERVICETYPE", "service_type"),
     ("colour", None), ("", None)],
)  # fmt: skip
def test_the_known_name_that_is_meant_is_found_whatever_its_case(written: str, meant: str | None) -> None:
    assert nearest(written, KNOWN) == meant


@pytest.mark.parametrize(
    ("query", "place", "says"),
    [
        ("strat=1", "query.strat", "did you mean start? It takes: after, from, start, status."),
        ("Start=1", "query.Start", "did you mean start?"),
        ("start_from=1", "query.start_from", "no parameter start_from"),
        ("limit", "query.limit", "no parameter limit. It takes"),
        ("start=1&stauts=x", "query.stauts", "did you mean status?"),
        ("a%20b=1", "query.?", "no parameter ?"),
        ("=1", "query.?", "no parameter ?"),
        ("jos%C3%A9@example.org", "query.?", "no parameter ?"),
    ],
)
def test_a_parameter_that_a_route_does_not_have_is_refused_with_its_place(
    client: TestClient, query: str, place: str, says: str
) -> None:
    answer = client.get(f"/v1/things?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "UNKNOWN_PARAMETER")
    assert answer.json()["errors"] == [{"place": place, "code": "UNKNOWN_PARAMETER"}]
    assert says in answer.json()["detail"]
    assert "example.org" not in answer.text


def test_a_route_without_parameters_says_that_it_takes_none_but_its_dependencies(client: TestClient) -> None:
    answer = client.get("/v1/plain/a?b=c")
    assert answer.json()["detail"] == "This route has no parameter b. It takes: after."


def test_the_parameters_of_a_model_are_those_of_its_route(client: TestClient) -> None:
    assert client.get("/filtered?clinic=EYE&from=x&status=a&status=b").status_code == 200
    unknown = client.get("/filtered?clinc=EYE").json()
    assert (
        unknown["detail"] == "This route has no parameter clinc; did you mean clinic? It takes: clinic, from, status."
    )
    assert client.get("/filtered?clinic=EYE&clinic=CARDIO").json()["code"] == "REPEATED_PARAMETER"


def test_a_parameter_comes_once_unless_it_takes_several(client: TestClient) -> None:
    assert client.get("/v1/things?status=a&status=b&after=x&from=y").status_code == 200
    twice = client.get("/v1/things?start=a&start=b")
    assert (twice.status_code, twice.json()["code"]) == (422, "REPEATED_PARAMETER")
    assert twice.json()["errors"] == [{"place": "query.start", "code": "REPEATED_PARAMETER"}]


@pytest.mark.parametrize("query", ["start=%00", "status=a&status=b%00c", "after=%00"])
def test_a_text_that_no_database_can_look_for_is_refused(client: TestClient, query: str) -> None:
    answer = client.get(f"/v1/things?{query}")
    place = query.partition("=")[0]
    assert (answer.status_code, answer.json()["code"]) == (422, "CONTROL_CHARACTER")
    assert answer.json()["errors"][0] == {"place": f"query.{place}", "code": "CONTROL_CHARACTER"}


def test_carriers_add_what_they_like_to_the_addresses_of_callbacks(client: TestClient) -> None:
    assert client.get("/callbacks/carrier?bodySHA256=1&x=2&x=3").status_code == 200


@pytest.mark.parametrize(
    ("body", "place", "says"),
    [
        (
            {"by": "A", "reson": "x"},
            "body.reson",
            "no field reson; did you mean reason? It takes: by, inner",
        ),
        ({"by": "A", "inner": {"Reason": "x"}}, "body.inner.Reason", "did you mean reason?"),
        ({"by": "A", "several": [{}, {"why": "x"}]}, "body.several.1.why", "no field why. It takes: reason."),
        ({"by": "A", "+44 7700": 1}, "body.?", "no field ?."),
    ],
)
def test_a_field_that_an_order_does_not_have_is_refused_with_the_one_that_is_meant(
    client: TestClient, body: object, place: str, says: str
) -> None:
    answer = client.post("/v1/orders", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "UNKNOWN_FIELD")
    assert answer.json()["errors"] == [{"place": place, "code": "UNKNOWN_FIELD"}]
    assert says in answer.json()["detail"]


MORE: list[tuple[object, list[tuple[str, str]], dict[str, str]]] = [
    ({"bye": "A"}, [("body.by", "MISSING_FIELD")], {"body.bye": "did you mean by?"}),
    ({"BY": "A", "inner": {"reson": "x"}}, [("body.by", "MISSING_FIELD")],
     {"body.inner.reson": "did you mean reason?", "body.BY": "did you mean by?"}),
    ({"by": 1, "several": [{}, {"why": "x"}]}, [("body.by", "WRONG_TYPE")], {"body.several.1.why": "no such field."}),
    ({"by": 1, "+44 7700": 1}, [("body.by", "WRONG_TYPE")], {"body.?": "no such field."}),
    ([1], [("body", "WRONG_TYPE")], {}),
]  # fmt: skip


@pytest.mark.parametrize(("body", "wrong", "named"), MORE)
def test_a_body_that_is_wrong_by_more_names_also_what_it_misspelt(
    client: TestClient, body: object, wrong: list[tuple[str, str]], named: dict[str, str]
) -> None:
    answer = client.post("/v1/orders", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")
    places = [(one["place"], one["code"]) for one in answer.json()["errors"]]
    assert places == [*wrong, *((place, "UNKNOWN_FIELD") for place in named)]
    for one in answer.json()["errors"]:
        assert one.get("detail", "").endswith(named.get(one["place"], ""))
    assert "7700" not in answer.text


def test_of_many_unknown_fields_five_are_named_each_with_its_own_meaning(client: TestClient) -> None:
    answer = client.post("/v1/orders", json={"by": "A", **{f"inner{number}": 1 for number in range(90)}}).json()
    said = [one.get("detail") for one in answer["errors"]]
    assert said == [None, *["There is no such field; did you mean inner?"] * 4]
    assert len(client.post("/v1/orders", json={f"x{number}": 1 for number in range(90)}).json()["errors"]) == 6
