"""What an API says of its refusals is what it answers, in one shape, with words of ours (decision 0045)."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import pytest
from fastapi import Depends, FastAPI, Query
from fastapi.testclient import TestClient
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chassis.api.app import Problem, create_api, refuses
from chassis.api.codes import COMMON, SHAPES
from chassis.api.door import everybody
from chassis.api.problems import Dialect
from tests.support.described import answers

PROBLEM = {"$ref": "#/components/schemas/Problem"}


class Colour(StrEnum):
    RED = "red"


class Thing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=5, pattern="^[a-z]*$")
    count: int = Field(ge=0, le=9)
    colour: Colour = Colour.RED
    at: AwareDatetime | None = None
    tags: list[str] = Field(default=[], max_length=1)
    wire: bool = False


def shop() -> FastAPI:
    spoken = Dialect("application/x+json", lambda problem: {"said": problem.code}, "Said", {"type": "object"})
    codes = {"SOLD_OUT": "There is none left."}
    api = create_api("Shop", admit=everybody, codes=codes, dialects={"/spoken": spoken})

    @api.post("/things", responses=refuses({409: ("SOLD_OUT",)}))
    async def post_thing(thing: Thing) -> Thing:
        if thing.name == "none":
            raise Problem(409, "SOLD_OUT", "There is none left of it.")
        return thing

    @api.get("/things")
    async def get_things(limit: Annotated[int, Query(ge=1)] = 1, after: UUID | None = None) -> list[Thing]:
        return []

    @api.put("/things/{number}")
    async def put_thing(number: int) -> int:
        return number

    @api.get("/broken")
    async def get_broken() -> int:
        raise RuntimeError("secret")

    @api.get("/spoken/things", responses=refuses({409: ("SOLD_OUT",)}))
    async def get_spoken() -> int:
        raise Problem(409, "SOLD_OUT", "There is none left of it.")

    return api


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(shop(), raise_server_exceptions=False) as client:
        yield client


def operation(method: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = shop().openapi()["paths"][path][method]
    return found


def test_every_refusal_of_every_route_is_the_one_problem_with_an_example_of_each_code() -> None:
    described = shop().openapi()

    assert "HTTPValidationError" not in str(described)
    for path in ("/things", "/things/{number}", "/broken"):
        for one in described["paths"][path].values():
            refusals = {status: of for status, of in answers(described, one).items() if status[0] in "45"}
            assert {"408", "413", "431", "500", "503"} <= refusals.keys()
            for status, refusal in refusals.items():
                content = refusal["content"]["application/problem+json"]
                assert content["schema"] == PROBLEM
                for code, named in content["examples"].items():
                    example = described["components"]["examples"][named["$ref"].rpartition("/")[2]]
                    assert (example["value"]["code"], str(example["value"]["status"])) == (code, status)
                    assert code in refusal["description"]


def test_the_codes_are_one_enumeration_of_what_every_api_says_and_of_its_own() -> None:
    schemas = shop().openapi()["components"]["schemas"]

    assert set(schemas["ProblemCode"]["enum"]) == {*COMMON, "SOLD_OUT"}
    for schema in (schemas["Problem"], schemas["ProblemPlace"]):
        assert schema["properties"]["code"] == {"$ref": "#/components/schemas/ProblemCode"}


def test_a_route_says_which_codes_are_its_own_and_no_other_route_does() -> None:
    assert list(
        operation("post", "/things")["responses"]["409"]["content"]["application/problem+json"]["examples"]
    ) == ["SOLD_OUT"]
    assert "409" not in operation("get", "/things")["responses"]


def test_a_route_that_reads_nothing_is_said_to_refuse_no_shape() -> None:
    assert "422" not in operation("get", "/broken")["responses"]
    assert "422" in operation("get", "/things")["responses"]


def test_a_code_that_no_list_has_cannot_be_declared() -> None:
    api = create_api("Shop")
    api.get("/x", responses=refuses({409: ("MADE_UP",)}))(lambda: None)

    with pytest.raises(KeyError, match="MADE_UP"):
        api.openapi()


def test_an_operation_is_called_as_its_function_is() -> None:
    assert operation("post", "/things")["operationId"] == "post_thing"


GOOD = {"name": "a", "count": 1}
WRONG = [
    ({"count": 1}, "name", "MISSING_FIELD"),
    ({**GOOD, "name": 1}, "name", "WRONG_TYPE"),
    ({**GOOD, "name": "abcdef"}, "name", "FIELD_TOO_LONG"),
    ({**GOOD, "name": ""}, "name", "EMPTY_TEXT"),
    ({**GOOD, "name": "A"}, "name", "WRONG_PATTERN"),
    ({**GOOD, "count": "x"}, "count", "WRONG_TYPE"),
    ({**GOOD, "count": 10}, "count", "NUMBER_OUT_OF_RANGE"),
    ({**GOOD, "colour": "blue"}, "colour", "UNKNOWN_VALUE"),
    ({**GOOD, "at": "soon"}, "at", "BAD_TIME"),
    ({**GOOD, "at": "2027-03-01T09:00:00"}, "at", "NAIVE_TIME"),
    ({**GOOD, "tags": ["a", "b"]}, "tags", "FIELD_TOO_LONG"),
    ({**GOOD, "wire": {}}, "wire", "WRONG_TYPE"),
]


@pytest.mark.parametrize(("body", "place", "code"), WRONG)
def test_what_is_wrong_at_a_place_is_said_in_words_of_ours(
    client: TestClient, body: dict[str, Any], place: str, code: str
) -> None:
    answer = client.post("/things", json=body).json()

    assert (answer["status"], answer["code"]) == (422, "INVALID_REQUEST")
    assert answer["errors"] == [{"place": f"body.{place}", "code": code}]
    assert SHAPES[code] in answer["detail"]


def test_a_body_that_is_no_json_is_called_so(client: TestClient) -> None:
    answer = client.post("/things", content=b"{", headers={"Content-Type": "application/json"}).json()

    assert [one["code"] for one in answer["errors"]] == ["NOT_JSON"]


def test_a_time_beyond_its_bound_is_a_time_and_no_number() -> None:
    from chassis.api.codes import shape_code

    assert shape_code("less_than_equal", {"le": datetime(9999, 12, 30)}) == "TIME_OUT_OF_RANGE"  # noqa: DTZ001
    assert shape_code("less_than_equal", {"le": 3}) == "NUMBER_OUT_OF_RANGE"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("DELETE", "/things", "GET, POST"), ("POST", "/things/1", "PUT"), ("GET", "/things/1", "PUT")],
)
def test_a_method_that_a_path_does_not_take_is_told_those_that_it_takes(
    client: TestClient, method: str, path: str, allowed: str
) -> None:
    answer = client.request(method, path)

    assert (answer.status_code, answer.json()["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == allowed


def test_a_path_that_is_none_is_an_unknown_route(client: TestClient) -> None:
    answer = client.get("/nothing")

    assert (answer.status_code, answer.json()["code"]) == (404, "UNKNOWN_ROUTE")


def test_a_fault_of_ours_is_a_problem_too_and_says_nothing_of_itself(client: TestClient) -> None:
    answer = client.get("/broken")

    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL_ERROR")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/spoken/things", 409, "SOLD_OUT"),
        ("GET", "/spoken/nothing", 404, "UNKNOWN_ROUTE"),
        ("PUT", "/spoken/things", 405, "METHOD_NOT_ALLOWED"),
    ],
)
def test_where_a_standard_has_a_shape_of_its_own_every_refusal_has_that(
    client: TestClient, method: str, path: str, status: int, code: str
) -> None:
    answer = client.request(method, path)

    assert (answer.status_code, answer.json()) == (status, {"said": code})
    assert answer.headers["content-type"] == "application/x+json"


def test_and_so_has_what_the_door_refuses_there() -> None:
    spoken = Dialect("application/x+json", lambda problem: {"said": problem.code}, "Said", {"type": "object"})
    closed = create_api("Shop", dialects={"/spoken": spoken})

    with TestClient(closed) as client:
        answer = client.get("/spoken/things")

        assert (answer.json(), answer.headers["www-authenticate"]) == ({"said": "NO_KEY"}, "Bearer")
        assert client.get("/elsewhere").json()["code"] == "NO_KEY"


def test_a_dialect_is_described_where_it_is_spoken() -> None:
    responses = answers(shop().openapi(), operation("get", "/spoken/things"))

    assert list(responses["409"]["content"]) == ["application/x+json"]
    assert set(responses["503"]["content"]) == {"application/x+json", "application/problem+json"}  # of the server's own
    assert shop().openapi()["components"]["schemas"]["Said"] == {"type": "object"}


def test_the_key_is_asked_for_where_a_route_asks() -> None:
    from fastapi.security import HTTPBearer

    api = create_api("Shop")
    api.get("/x", dependencies=[Depends(HTTPBearer(auto_error=False))])(lambda: None)
    api.get("/y", operation_id="get_y")(lambda: None)
    paths = api.openapi()["paths"]

    assert "401" in paths["/x"]["get"]["responses"]
    assert "401" not in paths["/y"]["get"]["responses"]
