"""Who makes a client from a service's description gets one that is whole: names, answers, refusals (decision 0045)."""

import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import pytest

from tests.support.described import APIS, answers, operations

SIGNED = "/callbacks/"
"""Below it a signature or a token opens; the description says which."""


@pytest.mark.parametrize("service", APIS)
def test_every_operation_has_a_name_of_its_own_that_makes_a_good_method(service: str) -> None:
    names = [operation["operationId"] for _, operation in operations(APIS[service]().openapi())]

    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name)] == []
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("service", APIS)
def test_every_operation_says_what_it_is_for_and_which_key_opens_it(service: str) -> None:
    for name, operation in operations(APIS[service]().openapi()):
        assert operation["summary"], name
        assert operation["tags"], name
        assert operation.get("security") or SIGNED in name, name


@pytest.mark.parametrize("service", APIS)
def test_every_refusal_has_the_one_shape_and_the_frameworks_own_is_nowhere(service: str) -> None:
    described = APIS[service]().openapi()

    assert "HTTPValidationError" not in str(described)
    for name, operation in operations(described):
        outcome = " /fhir/" in name
        for status, answer in answers(described, operation).items():
            if status[0] in "45":
                content = answer["content"]["application/fhir+json" if outcome else "application/problem+json"]
                shape = "OperationOutcome" if outcome else "Problem"
                assert content["schema"] == {"$ref": f"#/components/schemas/{shape}"}, (name, status)
                assert content["examples"], (name, status)


@pytest.mark.parametrize("service", APIS)
def test_every_body_says_what_becomes_of_a_field_that_nobody_knows(service: str) -> None:
    silent = {
        name
        for name, operation in operations(APIS[service]().openapi())
        if "requestBody" in operation and "UNKNOWN_FIELD" not in operation["requestBody"].get("description", "")
    }

    assert {name for name in silent if SIGNED not in name} == set()


OF_OTHER_KINDS = {
    ("notifier", "stream_inbox"), ("notifier", "get_unreadable_callback"), ("notifier", "ask_unsubscribe"),
    ("notifier", "confirm_unsubscribe"), ("notifier", "post_twilio_message"), ("notifier", "post_twilio_status"),
    ("notifier", "answer_meta_challenge"), ("notifier", "post_meta_events"), ("notifier", "post_bounce"),
    ("booking", "post_hl_messages"),
}  # fmt: skip
"""What answers no JSON: bytes, pages, streams, and what carriers look for."""


@pytest.mark.parametrize("service", APIS)
def test_every_answer_has_a_model_of_its_own(service: str) -> None:
    untyped = {
        (service, operation["operationId"])
        for _, operation in operations(APIS[service]().openapi())
        for status, answer in operation["responses"].items()
        if status[0] == "2" and not any(map(is_typed, answer.get("content", {}).items()))
    }

    assert untyped == {one for one in OF_OTHER_KINDS if one[0] == service}


def is_typed(content: tuple[str, dict[str, Any]]) -> bool:
    media_type, media = content
    schema = media["schema"]
    if media_type == "application/fhir+json":
        return schema["$ref"].rpartition("/")[2] in {"FhirAppointment", "FhirBundle", "FhirTaken"}
    return media_type == "application/json" and ("$ref" in schema or all("$ref" in one for one in schema["anyOf"]))


@pytest.mark.parametrize("service", APIS)
def test_every_field_of_every_model_has_a_type(service: str) -> None:
    schemas = APIS[service]().openapi()["components"]["schemas"]
    anything = {
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, of in schema.get("properties", {}).items()
        if not of.keys() & {"type", "$ref", "anyOf", "enum", "const"}
    }

    assert anything == set()


@pytest.mark.parametrize("service", APIS)
def test_every_model_and_every_field_has_a_name_that_no_other_has_however_it_is_spelled(service: str) -> None:
    """Of two models of one name FastAPI makes names of their modules, and a generator drops both."""
    schemas = APIS[service]().openapi()["components"]["schemas"]

    assert [name for name in schemas if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name)] == []
    assert {name: schema["title"] for name, schema in schemas.items() if schema.get("title", name) != name} == {}
    assert {name for name in schemas if [spelled(one) for one in schemas].count(spelled(name)) > 1} == set()
    for name, schema in schemas.items():
        fields = [spelled(field) for field in schema.get("properties", {})]
        assert len(set(fields)) == len(fields), name


def spelled(name: str) -> str:
    """Return what is left of a name that a generator writes in snake or camel case."""
    return re.sub("[^a-z0-9]", "", name.casefold())


@pytest.mark.parametrize("service", APIS)
def test_of_several_models_each_refuses_what_the_later_ones_are(service: str) -> None:
    """A generated client reads an answer as the first model that it fits."""
    described = APIS[service]().openapi()
    schemas = described["components"]["schemas"]
    mistaken = {
        (first, later)
        for either in choices(described)
        for first, later in combinations(either, 2)
        if not is_refused(schemas, first, later)
    }

    assert mistaken == set()


def choices(part: Any) -> Iterator[list[str]]:
    """Yield the names of the models of every choice."""
    if isinstance(part, Mapping):
        if isinstance(either := part.get("anyOf"), list):
            yield [one["$ref"].rpartition("/")[2] for one in either if "$ref" in one]
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from choices(one)


def is_refused(schemas: Mapping[str, Any], first: str, later: str) -> bool:
    """Say whether a reader of the first fails of the later: what it requires is not there, itself or in each item."""
    required, there = schemas[first].get("required", []), schemas[later].get("properties", {})
    if set(required) - set(there):
        return True
    items = [[item(of["properties"][field]) for of in (schemas[first], schemas[later])] for field in required]
    return any(of and other and of != other and is_refused(schemas, of, other) for of, other in items)


def item(field: Mapping[str, Any]) -> str:
    """Return the model of a list's items, or nothing."""
    name: str = field.get("items", {}).get("$ref", "").rpartition("/")[2]
    return name


@pytest.mark.parametrize("service", APIS)
def test_a_second_look_is_told_the_same(service: str) -> None:
    assert APIS[service]().openapi() == APIS[service]().openapi()
