"""What is wrong with a request to a FHIR route is said in FHIR's words; FHIR's own parameters pass."""

from typing import cast

import pytest
from fastapi import Request
from fastapi.testclient import TestClient

from booking.door.domain import Client
from booking.formats.fhir_r4.format import FHIR_JSON
from booking.formats.fhir_r4.http import routes
from booking.formats.fhir_r4.outcomes import FHIR_OUTCOMES
from booking.formats.http import EventDoor
from booking.formats.port import Parse
from booking.values.refusals import Refused
from chassis.api.app import create_api
from chassis.api.door import everybody

PATHS = [("POST", "$process-message"), ("POST", "Appointment"), ("PUT", "Appointment/1")]


class Closed:
    """A door that takes nothing, so that what comes as far is seen."""

    async def take(self, request: Request, client: Client, parse: Parse, source: str | None) -> None:
        raise Refused("CAME_THROUGH", source or "")


@pytest.fixture(name="client")
def fhir_client() -> TestClient:
    async def caller() -> Client:
        return Client("local", ("local",))

    api = create_api("Booking", admit=everybody, dialects={"/fhir": FHIR_OUTCOMES})
    api.include_router(routes(cast(EventDoor, Closed()), caller))
    return TestClient(api)


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize(
    ("query", "code", "issue", "place"),
    [
        ("sorce=local", "UNKNOWN_PARAMETER", "not-supported", "query.sorce"),
        ("_Format=json", "UNKNOWN_PARAMETER", "not-supported", "query._Format"),
        ("source=a&source=b", "REPEATED_PARAMETER", "invalid", "query.source"),
    ],
)
def test_an_unknown_parameter_is_refused_by_an_operation_outcome(
    client: TestClient, method: str, path: str, query: str, code: str, issue: str, place: str
) -> None:
    answer = client.request(method, f"/fhir/R4/{path}?{query}", json={})
    assert (answer.status_code, answer.headers["content-type"]) == (422, FHIR_JSON)
    assert answer.json()["resourceType"] == "OperationOutcome"
    (found,) = answer.json()["issue"]
    assert (found["code"], found["details"]["coding"][0]["code"], found["expression"]) == (issue, code, [place])


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_fhirs_own_parameters_and_the_source_pass(client: TestClient, method: str, path: str) -> None:
    query = "_format=json&_pretty=true&_summary=false&_elements=id&source=local"
    answer = client.request(method, f"/fhir/R4/{path}?{query}", json={})
    assert answer.json()["issue"][0]["details"] == {
        "coding": [{"system": "urn:attend:refusal", "code": "CAME_THROUGH"}], "text": "local",
    }  # fmt: skip
