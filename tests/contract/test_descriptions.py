"""Who makes a client from a service's description gets one that is whole: names, answers, refusals (decision 0045)."""

import re
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


OF_OTHER_KINDS = {
    ("notifier", "stream_inbox"), ("notifier", "get_unreadable_callback"), ("notifier", "ask_unsubscribe"),
    ("notifier", "confirm_unsubscribe"), ("notifier", "post_twilio_message"), ("notifier", "post_twilio_status"),
    ("notifier", "answer_meta_challenge"), ("notifier", "post_meta_events"), ("notifier", "post_bounce"),
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
def test_a_second_look_is_told_the_same(service: str) -> None:
    assert APIS[service]().openapi() == APIS[service]().openapi()
