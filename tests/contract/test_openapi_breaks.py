"""The description of an API only grows: whatever would break a client made from it is named and refused (0045)."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.openapi import findings, main
from schemas.openapi_breaks import openapi_breaks
from tests.support.described import APIS

FOLDER = Path(__file__).resolve().parents[2] / "schemas/openapi"
THING = {"$ref": "#/components/schemas/Thing"}
DESCRIBED: dict[str, Any] = {
    "paths": {
        "/things/{id}": {
            "put": {
                "operationId": "put_thing",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                    {"name": "limit", "in": "query", "required": False, "schema": {"type": "integer", "maximum": 9}},
                    {"name": "colour", "in": "query", "schema": {"type": "string", "enum": ["red", "blue"]}},
                ],
                "requestBody": {
                    "required": False,
                    "content": {
                        "application/json": {"schema": {"anyOf": [THING, {"type": "array", "items": THING}]}},
                        "text/plain": {"schema": {"type": "string"}},
                    },
                },
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}}},
                    "422": {"content": {}},
                },
            },
            "get": {"operationId": "get_thing", "responses": {"200": {"content": {}}}},
        }
    },
    "components": {
        "schemas": {
            "Thing": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "maxLength": 80, "minLength": 1, "pattern": "^a"},
                    "inside": {"anyOf": [THING, {"type": "null"}]},
                    "kind": {"type": "string", "enum": ["a", "b"]},
                },
            },
            "Answer": {
                "type": "object",
                "required": ["id", "at"],
                "properties": {
                    "id": {"type": "string", "format": "uuid"},
                    "at": {"type": "string", "format": "date-time"},
                    "state": {"type": "string", "enum": ["on", "off"]},
                    "items": {"type": "array", "items": {"type": "integer"}},
                    "by": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                },
            },
            "ProblemCode": {"type": "string", "enum": ["A", "B"]},
        }
    },
}
PUT = "PUT /things/{id}"


def put(new: dict[str, Any]) -> Any:
    return new["paths"]["/things/{id}"]["put"]


def model(new: dict[str, Any], name: str) -> Any:
    return new["components"]["schemas"][name]


def field(new: dict[str, Any], of: str, name: str) -> Any:
    return model(new, of)["properties"][name]


type Change = Callable[[dict[str, Any]], object]

BREAKS: list[tuple[Change, str]] = [
    (lambda new: new["paths"].pop("/things/{id}"), f"{PUT}: removed"),
    (lambda new: new["paths"]["/things/{id}"].pop("get"), "GET /things/{id}: removed"),
    (lambda new: put(new).update(operationId="set_thing"), f"{PUT}: operation put_thing is now called set_thing"),
    (lambda new: put(new).update(security=[{"Key": []}]), f"{PUT}: asks for a key now"),
    (lambda new: put(new)["parameters"].pop(1), f"{PUT}, query.limit: parameter removed"),
    (lambda new: put(new)["parameters"][1].update(required=True), f"{PUT}, query.limit: newly required"),
    (
        lambda new: put(new)["parameters"].append({"name": "x", "in": "header", "required": True, "schema": {}}),
        f"{PUT}, header.x: newly required",
    ),
    (lambda new: put(new)["parameters"][1]["schema"].update(maximum=5), f"{PUT}, query.limit: maximum lowered to 5"),
    (lambda new: put(new)["parameters"][1]["schema"].update(minimum=1), f"{PUT}, query.limit: minimum raised to 1"),
    (
        lambda new: put(new)["parameters"][2]["schema"].update(enum=["red"]),
        f"{PUT}, query.colour: value 'blue' no longer taken",
    ),
    (
        lambda new: put(new)["parameters"][0]["schema"].update(enum=["x"]),
        f"{PUT}, path.id: narrowed to an enumeration",
    ),
    (
        lambda new: put(new)["parameters"][0]["schema"].update(type="integer"),
        f"{PUT}, path.id: type string became integer",
    ),
    (lambda new: put(new)["requestBody"].update(required=True), f"{PUT}, body: newly required"),
    (lambda new: put(new)["requestBody"]["content"].pop("text/plain"), f"{PUT}, body: no longer taken as text/plain"),
    (
        lambda new: put(new)["requestBody"]["content"]["application/json"]["schema"]["anyOf"].pop(1),
        f"{PUT}, body: no longer takes array",
    ),
    (lambda new: model(new, "Thing")["properties"].pop("inside"), f"{PUT}, body.inside: field removed"),
    (lambda new: model(new, "Thing")["required"].append("kind"), f"{PUT}, body.kind: newly required"),
    (lambda new: field(new, "Thing", "kind").update(enum=["a"]), f"{PUT}, body.kind: value 'b' no longer taken"),
    (lambda new: field(new, "Thing", "name").update(maxLength=10), f"{PUT}, body.name: maxLength lowered to 10"),
    (lambda new: field(new, "Thing", "name").update(pattern="^b"), f"{PUT}, body.name: another pattern"),
    (lambda new: field(new, "Thing", "inside")["anyOf"].pop(1), f"{PUT}, body.inside: no longer takes null"),
    (lambda new: put(new)["responses"].pop("200"), f"{PUT}: no longer answers 200"),
    (
        lambda new: put(new)["responses"]["200"]["content"].update({"application/json": None}),
        f"{PUT}, answer 200: no longer application/json",
    ),
    (lambda new: model(new, "Answer")["properties"].pop("state"), f"{PUT}, answer.state: field removed"),
    (lambda new: model(new, "Answer")["required"].remove("at"), f"{PUT}, answer.at: no longer always there"),
    (lambda new: field(new, "Answer", "id").update(type="integer"), f"{PUT}, answer.id: type string became integer"),
    (lambda new: field(new, "Answer", "id").pop("format"), f"{PUT}, answer.id: format uuid became None"),
    (lambda new: field(new, "Answer", "state").pop("enum"), f"{PUT}, answer.state: no longer one of an enumeration"),
    (
        lambda new: field(new, "Answer", "items")["items"].update(type="string"),
        f"{PUT}, answer.items[]: type integer became string",
    ),
    (
        lambda new: field(new, "Answer", "by")["anyOf"].append({"type": "integer"}),
        f"{PUT}, answer.by: may now be integer",
    ),
    (
        lambda new: model(new, "Answer")["properties"].update(at={"anyOf": [{"type": "string"}, {"type": "null"}]}),
        f"{PUT}, answer.at: may now be null",
    ),
    (lambda new: model(new, "ProblemCode").update(enum=["A"]), "ProblemCode: B removed"),
]
GROWS: list[Change] = [
    lambda new: new["paths"].update({"/more": {}}),
    lambda new: new["paths"]["/things/{id}"].update(delete={"operationId": "x", "responses": {}}),
    lambda new: put(new)["parameters"].append({"name": "x", "in": "query", "schema": {"type": "string"}}),
    lambda new: put(new)["parameters"][1]["schema"].update(maximum=99),
    lambda new: put(new)["parameters"][2]["schema"]["enum"].append("green"),
    lambda new: put(new)["responses"].update({"409": {"content": {}}}),
    lambda new: put(new)["responses"].pop("422"),
    lambda new: field(new, "Thing", "name").update(maxLength=90, minLength=0),
    lambda new: field(new, "Thing", "name").pop("pattern"),
    lambda new: field(new, "Thing", "kind")["enum"].append("c"),
    lambda new: model(new, "Thing")["required"].remove("name"),
    lambda new: model(new, "Thing")["properties"].update(more={"type": "string"}),
    lambda new: model(new, "Answer")["properties"].update(more={"type": "string"}),
    lambda new: model(new, "Answer")["required"].append("state"),
    lambda new: field(new, "Answer", "state")["enum"].append("between"),
    lambda new: field(new, "Answer", "by")["anyOf"].pop(1),
    lambda new: model(new, "ProblemCode")["enum"].append("C"),
]


def changed(change: Change) -> dict[str, Any]:
    new = deepcopy(DESCRIBED)
    change(new)
    return new


def test_a_description_takes_its_own_place() -> None:
    assert openapi_breaks(DESCRIBED, deepcopy(DESCRIBED)) == []


@pytest.mark.parametrize(("change", "said"), BREAKS, ids=[said for _, said in BREAKS])
def test_what_breaks_a_client_is_named(change: Change, said: str) -> None:
    assert said in openapi_breaks(DESCRIBED, changed(change))


@pytest.mark.parametrize("change", GROWS)
def test_what_only_grows_breaks_nobody(change: Change) -> None:
    assert openapi_breaks(DESCRIBED, changed(change)) == []


@pytest.mark.parametrize("service", APIS)
def test_the_file_of_each_service_is_what_its_code_says(service: str) -> None:
    described = orjson.loads(orjson.dumps(APIS[service]().openapi()))

    assert findings(FOLDER / f"{service}.json", described) == [], "make schemas"


def said_to(monkeypatch: pytest.MonkeyPatch, described: object) -> None:
    class Input:
        class buffer:  # as of `sys.stdin`
            @staticmethod
            def read() -> bytes:
                return orjson.dumps(described)

    monkeypatch.setattr("sys.stdin", Input)


def test_a_break_is_refused_and_the_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "shop.json"
    said_to(monkeypatch, DESCRIBED)
    assert main([str(file)]) == 0
    held = file.read_bytes()
    assert main(["--check", str(file)]) == 0

    said_to(monkeypatch, changed(BREAKS[1][0]))

    assert (main(["--check", str(file)]), main([str(file)])) == (1, 1)
    assert "shop: breaks GET /things/{id}: removed" in capsys.readouterr().out
    assert file.read_bytes() == held


def test_a_description_that_grew_is_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "shop.json"
    said_to(monkeypatch, DESCRIBED)
    main([str(file)])
    said_to(monkeypatch, changed(GROWS[0]))

    assert (main(["--check", str(file)]), main([str(file)]), main(["--check", str(file)])) == (1, 0, 0)
