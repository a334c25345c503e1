"""Who makes a client from a service's description gets one that is whole: names, answers, refusals (decision 0045)."""

import re

import pytest

from tests.support.described import APIS, operations

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
        for status, answer in operation["responses"].items():
            if status[0] in "45":
                content = answer["content"]["application/fhir+json" if outcome else "application/problem+json"]
                shape = "OperationOutcome" if outcome else "Problem"
                assert content["schema"] == {"$ref": f"#/components/schemas/{shape}"}, (name, status)
                assert content["examples"], (name, status)
