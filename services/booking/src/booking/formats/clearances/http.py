"""`POST /fhir/R4|R5/Consent`, `POST /fhir/R4|R5/CoverageEligibilityResponse`: answered by OperationOutcomes."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from booking.clearances.domain.clearance import ClearanceResult
from booking.clearances.handle import ClearanceAnswer
from booking.clearances.store import PostgresClearances
from booking.door.auth import Caller
from booking.door.bodies import BAD_BODY, BAD_FIELD, Source, described
from booking.door.domain import Client
from booking.door.strict_json import not_utf8
from booking.door.transactions import Transactions
from booking.formats.clearances import fhir_consent, fhir_eligibility
from booking.formats.clearances.handle import give_told
from booking.formats.clearances.told import ToldClearance
from booking.formats.fhir_r4.format import FHIR_JSON
from booking.formats.fhir_r4.http import NOT_READ, fhir_parameters
from booking.formats.fhir_r4.outcomes import outcome, taken
from booking.formats.http import KEY_HEADER
from booking.formats.port import Hints
from booking.values.refusals import Refused
from chassis.api.app import answers, refuses
from chassis.postgres.database import Connection

CODES = {
    400: BAD_BODY,
    403: ("MAY_NOT_CLEAR", "FOREIGN_SOURCE"),
    404: ("UNKNOWN_APPOINTMENT",),
    409: ("EVENT_ID_CONFLICT", "IDENTITY_CONFLICT", "VISIT_CANCELLED"),
    422: (
        *BAD_FIELD, "WRONG_RESOURCE", "INVALID_FHIR", "UNKNOWN_MODIFIER", "UNKNOWN_STATUS", "NO_APPOINTMENT",
        "SEVERAL_APPOINTMENTS", "NO_PATIENT", "CONSENT_OF_ANOTHER", "UNKNOWN_KIND",
        "NOT_OF_THIS_KIND", "UNKNOWN_FORM_VERSION", "NOT_YET", "EXPIRED_BEFORE_SIGNED", "TIME_OUT_OF_RANGE",
        "PADDED_ID",
    ),
    503: ("KEY_RACE",),
}  # fmt: skip
"""Why a clearance that comes in FHIR is refused, by HTTP status."""

type ParseFhir = Callable[[bytes, str, Hints], ToldClearance]


class _Resource(BaseModel):
    model_config = ConfigDict(extra="allow")


class FhirConsent(_Resource):
    """A Consent, of which FHIR itself says the rest."""

    resource_type: Literal["Consent"] = Field(alias="resourceType")


class FhirCoverageEligibilityResponse(_Resource):
    """A CoverageEligibilityResponse, of which FHIR itself says the rest."""

    resource_type: Literal["CoverageEligibilityResponse"] = Field(alias="resourceType")


class IssueCoding(BaseModel):
    """A code of ours."""

    system: Literal["urn:attend:result", "urn:attend:warning"]
    code: str = Field(description="`applied`, `repeat` or `stale`; of a warning its code.")


class IssueDetails(BaseModel):
    """What an issue is."""

    coding: list[IssueCoding]
    text: str = Field(description="In words.")


class TakenIssue(BaseModel):
    """What became of the clearance, or a warning."""

    severity: Literal["information", "warning"]
    code: Literal["informational"]
    details: IssueDetails
    expression: list[str] | None = Field(default=None, description="The place; left out of the whole.")


_RESULT = {
    "coding": [{"system": "urn:attend:result", "code": "applied"}],
    "text": "It was taken, and holds from now on.",
}
_EXAMPLE: dict[str, Any] = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "information", "code": "informational", "details": _RESULT}],
}


class FhirTaken(BaseModel):
    """An OperationOutcome: first what became of the clearance, then the warnings."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    resource_type: Literal["OperationOutcome"] = Field(alias="resourceType")
    issue: list[TakenIssue]


_MODELS = (FhirConsent, FhirCoverageEligibilityResponse, FhirTaken)
_CONSENT, _ELIGIBILITY, _TAKEN = (described(one, {})["schema"] for one in _MODELS)


def routes(transactions: Transactions, caller: Caller) -> list[APIRouter]:
    """Return the routes of both releases."""
    releases = ((4, "four", 5), (5, "five", 4))
    return [_of_release(*release, transactions, caller) for release in releases]


def _router(release: str, more: str) -> APIRouter:
    codes = {**CODES, 422: (*CODES[422], more)}
    return APIRouter(
        prefix=f"/fhir/{release}",
        tags=[f"FHIR {release}"],
        dependencies=[Depends(fhir_parameters)],
        responses={
            **refuses(codes),
            **answers(_TAKEN, FHIR_JSON),
            **answers(_TAKEN, FHIR_JSON, status=201),
        },
    )


def _of_release(number: int, in_words: str, other: int, transactions: Transactions, caller: Caller) -> APIRouter:
    """Return the routes of one release; a resource that is of the other is refused by its name."""
    release = f"R{number}"
    router = _router(release, f"FHIR_R{other}")

    @router.post(
        "/Consent",
        summary="Take a Consent",
        name=f"post_fhir_consent_of_release_{in_words}",
        openapi_extra=_taking(_CONSENT),
    )
    async def post_fhir_consent(
        request: Request, client: Annotated[Client, Depends(caller)], source: Source = None
    ) -> Response:
        """Take a patient's consent to what is done at a visit, or that he takes it back."""
        return await _take(transactions, request, client, fhir_consent.parse, release, source)

    @router.post(
        "/CoverageEligibilityResponse",
        summary="Take an answer about coverage",
        name=f"post_fhir_eligibility_of_release_{in_words}",
        openapi_extra=_taking(_ELIGIBILITY),
    )
    async def post_fhir_eligibility(
        request: Request, client: Annotated[Client, Depends(caller)], source: Source = None
    ) -> Response:
        """Take a payer's answer whether he pays for a visit."""
        return await _take(transactions, request, client, fhir_eligibility.parse, release, source)

    return router


def _taking(schema: dict[str, Any]) -> dict[str, Any]:
    body = {"required": True, "description": NOT_READ, "content": {FHIR_JSON: {"schema": schema}}}
    return {"parameters": [KEY_HEADER], "requestBody": body}


async def _take(
    transactions: Transactions, request: Request, client: Client, parse: ParseFhir, release: str, source: str | None
) -> Response:
    now = transactions.clock.now()
    hints = Hints(client, now, source, request.headers.get("idempotency-key"))
    try:
        told = parse(await request.body(), release, hints)
        answer = await _given(transactions, told, client)
    except UnicodeDecodeError as error:
        return _refused(transactions, not_utf8(error))
    except Refused as refusal:
        return _refused(transactions, refusal)
    return _answered(answer) if answer.refusal is None else _refused(transactions, answer.refusal)


async def _given(transactions: Transactions, told: ToldClearance, client: Client) -> ClearanceAnswer:
    async def story(connection: Connection) -> ClearanceAnswer:
        clients, now = {client.client_id: client}, transactions.clock.now()
        (answer,) = await give_told(PostgresClearances(connection), [told], clients, now)
        return answer

    return await transactions.run(story)


def _refused(transactions: Transactions, refusal: Refused) -> Response:
    transactions.counts.refused(refusal)
    return outcome(refusal)


def _answered(answer: ClearanceAnswer) -> Response:
    assert answer.result is not None and answer.taken is not None  # noqa: S101, PT018  # taken, not refused
    visit, result = str(answer.taken.appointment_id), answer.result.value
    headers = {
        "Attend-Result": result,
        "Attend-Appointment": visit,
        "Location": f"/v1/appointments/{visit}/clearances",
    }
    status = 201 if answer.result is ClearanceResult.APPLIED else 200
    return JSONResponse(taken(result, answer.warnings), status, headers, media_type=FHIR_JSON)
