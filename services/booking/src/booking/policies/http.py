"""`/v1/clinics/{code}/reminder-policy`: set, show, follow and try reminder policies (D13, B4)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from operator import itemgetter
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.responses import StreamingResponse

from booking.clinics.domain.clinic import ClinicState
from booking.clinics.store import clinic_called
from booking.door.auth import Caller
from booking.door.bodies import BAD_BODY, body_schema, problem, read
from booking.door.domain import Client
from booking.door.strict_json import strict_json
from booking.door.transactions import Transactions
from booking.policies import bodies
from booking.policies.answers import PlanView, PolicyAnswer, PolicyChangePage, PolicyChangeView, PolicyView
from booking.policies.domain.change import PolicyChange
from booking.policies.dry_run import Trial, try_policy
from booking.policies.handle import set_policy, unset_policy
from booking.policies.store import PostgresPolicyStore, changes
from booking.values.identity import clinic_code
from booking.values.refusals import Refused
from chassis.api.app import Problem, answers, refuses
from chassis.api.door import busy
from chassis.api.page_cursor import next_place
from chassis.postgres.database import Pool
from chassis.process.errors import Unavailable

NDJSON = "application/x-ndjson"
LONGEST_PAGE = 100

_RIGHTS = ("MAY_NOT_SET_POLICY", "FOREIGN_CLINIC")
_CODES = (
    "MISSING_FIELD", "WRONG_TYPE", "UNKNOWN_FIELD", "LEAD_REQUIRED", "DUPLICATE_RULE", "TOO_MANY_RULES",
    "NUMBER_OUT_OF_RANGE", "SERVICE_TYPE_CONFLICT", "ILLEGAL_CLINIC_CODE",
)  # fmt: skip

Code = Annotated[str, Path(description="The clinic's code.")]
Service = Annotated[str | None, Query(description="Left out: the clinic's policy.")]


def routes(
    transactions: Transactions, reads: Pool, caller: Caller, changed: Callable[[], None], dry_runs: int
) -> APIRouter:
    """Return the routes of reminder policies.

    Args:
        dry_runs: How many may run at once; one more is answered 503.
    """
    own = refuses({403: ("FOREIGN_CLINIC",), 404: ("UNKNOWN_CLINIC",), 422: ("ILLEGAL_CLINIC_CODE",)})
    router = APIRouter(prefix="/v1/clinics/{code}/reminder-policy", tags=["reminder policies"], responses=own)
    pool, counts, slots = reads, transactions.counts, asyncio.Semaphore(dry_runs)

    @router.get("", summary="The policy in force", responses=answers(PolicyView))
    async def get_policy(
        code: Code, client: Annotated[Client, Depends(caller)], service_type: Service = None
    ) -> dict[str, Any]:
        """The rules that appointments are stamped with now: the service type's own, else the clinic's."""
        return bodies.policy_answer(await _clinic(pool, code, client), service_type)

    @router.put(
        "",
        summary="Set a policy",
        responses={**answers(PolicyAnswer), **refuses({400: BAD_BODY, 403: _RIGHTS, 422: _CODES})},
        openapi_extra=body_schema(
            bodies.PolicyBody,
            {"clinic": bodies.POLICY, "service type": bodies.SERVICE_POLICY},
            "The policy, whole.",
        ),
    )
    async def put_policy(
        request: Request, code: Code, client: Annotated[Client, Depends(caller)], service_type: Service = None
    ) -> dict[str, Any]:
        """Put rules in force for what is booked from now on, and reissue what is ahead. The same again does nothing."""
        body = await request.body()
        try:
            client.check_clinic(clinic_code(code, "code"))
            client.check_may_set_policy()
            told = read(bodies.PolicyBody, strict_json(body))
            service, leads = bodies.service_of(service_type, told.service_type), told.leads
            now = transactions.clock.now()
            clinic, change = await transactions.run(
                lambda connection: set_policy(
                    PostgresPolicyStore(connection), code, service, leads, client.client_id, now
                )
            )
        except Refused as refusal:
            counts.refused(refusal)
            raise _answer(refusal) from None
        return _told(clinic, service, change, changed)

    @router.delete(
        "",
        summary="Give a service type's policy up",
        responses={**answers(PolicyAnswer), **refuses({403: _RIGHTS, 422: ("MISSING_FIELD", "ILLEGAL_CLINIC_CODE")})},
    )
    async def delete_policy(
        code: Code, client: Annotated[Client, Depends(caller)], service_type: Service = None
    ) -> dict[str, Any]:
        """Give the service type the clinic's rules again, and reissue what is ahead. Again, it does nothing."""
        try:
            client.check_clinic(clinic_code(code, "code"))
            client.check_may_set_policy()
            service, now = bodies.required(bodies.service_of(service_type, None)), transactions.clock.now()
            clinic, change = await transactions.run(
                lambda connection: unset_policy(PostgresPolicyStore(connection), code, service, client.client_id, now)
            )
        except Refused as refusal:
            counts.refused(refusal)
            raise _answer(refusal) from None
        return _told(clinic, service, change, changed)

    @router.get("/changes", summary="Who set what when, newest first", responses=answers(PolicyChangePage))
    async def get_policy_changes(
        code: Code,
        client: Annotated[Client, Depends(caller)],
        before: Annotated[int | None, Query(ge=1, lt=2**31, description="Versions below this one.")] = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 20,
    ) -> dict[str, Any]:
        """Every change that was ever made, each with what its reissue did."""
        items = await _changes(pool, code, client, None, before, limit)
        return {"items": items, "next_before": next_place(items, limit, itemgetter("version"))}

    @router.get(
        "/changes/{version}",
        summary="A change, and how far its reissue is",
        responses={**answers(PolicyChangeView), **refuses({404: ("UNKNOWN_CLINIC", "UNKNOWN_POLICY_VERSION")})},
    )
    async def get_policy_change(
        code: Code, version: Annotated[int, Path(ge=1, lt=2**31)], client: Annotated[Client, Depends(caller)]
    ) -> dict[str, Any]:
        """The change, and how many reminders it added, removed and moved so far."""
        found = await _changes(pool, code, client, version, None, 1)
        if not found:
            raise Problem(404, "UNKNOWN_POLICY_VERSION", "This clinic has no policy change of this number.")
        return found[0]

    @router.post(
        "/plan",
        summary="Try a policy without setting it",
        responses={**answers(PlanView, "application/json", NDJSON), **refuses({400: BAD_BODY, 422: _CODES})},
        openapi_extra=body_schema(
            bodies.PlanBody,
            {"clinic": {**bodies.POLICY, "past_months": 3}, "service type": bodies.SERVICE_POLICY},
            f"The policy, and months to look back. `Accept: {NDJSON}` streams the progress, then the plan.",
        ),
    )
    async def plan_policy(
        request: Request, code: Code, client: Annotated[Client, Depends(caller)], service_type: Service = None
    ) -> Response:
        """What the policy would do to every visit ahead, and what it would have sent for past ones (B4)."""
        body = await request.body()
        clinic = await _clinic(pool, code, client)
        try:
            told = read(bodies.PlanBody, strict_json(body))
            service = bodies.service_of(service_type, told.service_type)
            if not told.unset and "rules" not in told.model_fields_set:
                raise Refused("MISSING_FIELD", "give the rules to try, or `unset`", "rules")
            service = bodies.required(service) if told.unset else service
            trial = Trial(clinic, service, told.leads, told.past_months, client.client_id, told.unset)
        except Refused as refusal:
            counts.refused(refusal)
            raise _answer(refusal) from None
        steps = _tried(pool, trial, transactions.clock.now(), slots)
        if NDJSON in request.headers.get("accept", ""):
            return StreamingResponse(_lines(steps), media_type=NDJSON)
        *_, last = [step async for step in steps]
        return Response(orjson.dumps(last["plan"]), media_type="application/json")

    return router


def _told(
    clinic: ClinicState, service_type: str | None, change: PolicyChange | None, changed: Callable[[], None]
) -> dict[str, Any]:
    """Wake the job that works a change off, and return the answer."""
    if change is not None:
        changed()
    shown = None if change is None else bodies.change_answer(change)
    return {**bodies.policy_answer(clinic, service_type), "changed": change is not None, "change": shown}


async def _clinic(pool: Pool, code: str, client: Client) -> ClinicState:
    try:
        client.check_clinic(clinic_code(code, "code"))
    except Refused as refusal:
        raise problem(refusal) from None
    clinic = await clinic_called(pool, code)
    if clinic is None:
        raise _unknown()
    return clinic


async def _changes(
    pool: Pool, code: str, client: Client, version: int | None, before: int | None, limit: int
) -> list[dict[str, Any]]:
    await _clinic(pool, code, client)
    rows = await changes(pool, code, version, before, limit)
    return [bodies.change_answer(bodies.change_of_row(row), row) for row in rows]


async def _tried(pool: Pool, trial: Trial, now: datetime, slots: asyncio.Semaphore) -> AsyncIterator[dict[str, Any]]:
    """Yield `{"progress": …}` after each page and `{"plan": …}` at the end; raise 503 BUSY while others do so."""
    if slots.locked():
        raise busy()
    async with slots:
        async for step in try_policy(pool, trial, now):
            yield step


async def _lines(steps: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    try:
        async for step in steps:
            yield orjson.dumps(step) + b"\n"
    except Unavailable as error:  # the status is sent: the last line says it
        detail = "A part this needs is not there now. Send the same request again."
        yield orjson.dumps({"problem": {"status": 503, "code": error.code, "detail": detail}}) + b"\n"
    except Problem as error:
        yield orjson.dumps({"problem": error.body()}) + b"\n"


def _answer(refusal: Refused) -> Problem:
    return _unknown() if refusal.code == "UNKNOWN_CLINIC" else problem(refusal)


def _unknown() -> Problem:
    return Problem(404, "UNKNOWN_CLINIC", "No clinic has this code; PUT /v1/clinics first.")
