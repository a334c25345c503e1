"""What a clinic requires before check-in: `/v1/clinics/{code}/clearance-policy`, and kinds of clearance."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request

from booking.clearances import answers as views
from booking.clearances.bodies import KIND, POLICY, ClearancePolicyBody, ClearanceTrialBody, KindBody
from booking.clearances.domain.policy import ClearancePolicy, change_of, checked, giving_up, in_force
from booking.clearances.dry_run import Trial, try_policy
from booking.clearances.requiring import own_of, set_kind, set_policy, unset_policy, with_change
from booking.clearances.store import PostgresRequirements, changes_of, kinds_of, policies_of
from booking.clinics.store import clinic_called
from booking.door.auth import Caller
from booking.door.bodies import BAD_BODY, BAD_FIELD, body_schema, problem, read
from booking.door.domain import Client
from booking.door.strict_json import strict_json
from booking.door.transactions import Transactions
from booking.values import texts
from booking.values.identity import clinic_code
from booking.values.refusals import UNKNOWN_CLINIC, Refused
from chassis.api.app import Problem, answers, refuses
from chassis.api.door import busy
from chassis.api.page_cursor import next_place
from chassis.postgres.database import Connection, Pool

LONGEST_PAGE = 100
DRY_RUNS = 2
"""Dry runs at once: each reads a clinic's visits ahead."""

_RIGHTS = ("MAY_NOT_SET_POLICY", "FOREIGN_CLINIC")
_WRONG = (
    *BAD_FIELD, "UNKNOWN_FIELD", "UNKNOWN_MODE", "UNKNOWN_KIND", "BAD_SLUG", "BAD_URL", "NOT_OF_THIS_KIND",
    "DUPLICATE_REQUIREMENT", "TOO_MANY_REQUIREMENTS", "NUMBER_OUT_OF_RANGE", "SERVICE_TYPE_CONFLICT",
    "ILLEGAL_CLINIC_CODE", "PADDED_ID",
)  # fmt: skip
_OWN = refuses({403: ("FOREIGN_CLINIC",), 404: (UNKNOWN_CLINIC,), 422: ("ILLEGAL_CLINIC_CODE",)})

Code = Annotated[str, Path(description="The clinic's code.")]
Service = Annotated[str | None, Query(description="Left out: the clinic's policy.")]


def policy_routes(transactions: Transactions, reads: Pool, caller: Caller) -> APIRouter:
    """Return the routes of clearance policies. The operator, and clients that may set policies, change them."""
    router = APIRouter(prefix="/v1/clinics/{code}/clearance-policy", tags=["clearances"], responses=_OWN)
    slots = asyncio.Semaphore(DRY_RUNS)

    async def change(
        code: str, client: Client, service: str | None, body: ClearancePolicyBody | None
    ) -> dict[str, Any]:
        now = transactions.clock.now()

        async def story(connection: Connection) -> tuple[Sequence[ClearancePolicy], bool]:
            store = PostgresRequirements(connection)
            if body is None:
                return await unset_policy(store, code, service, client.client_id, now)
            return await set_policy(store, code, service, body.wanted, client.client_id, now)

        held, changed = await transactions.run(story)
        return {**_view(code, service, held), "changed": changed}

    @router.get("", summary="What is required before check-in", responses=answers(views.ClearancePolicyView))
    async def get_clearance_policy(
        code: Code, client: Annotated[Client, Depends(caller)], service_type: Service = None
    ) -> dict[str, Any]:
        """The policy in force: the service type's own, else the clinic's; none: nothing is required."""
        await _check_clinic(reads, code, client)
        async with reads.acquire() as connection:
            return _view(code, service_type, (await policies_of(connection, [code]))[code])

    @router.put(
        "",
        summary="Set what is required before check-in",
        responses={
            **answers(views.ClearancePolicyAnswer), **refuses({400: BAD_BODY, 403: _RIGHTS, 422: _WRONG}),
        },
        openapi_extra=body_schema(ClearancePolicyBody, {"clinic": POLICY}, "The policy, whole."),
    )  # fmt: skip
    async def put_clearance_policy(
        request: Request, code: Code, client: Annotated[Client, Depends(caller)], service_type: Service = None
    ) -> dict[str, Any]:
        """Put a policy in force at once. Each version is kept; the same again does nothing."""
        content = await request.body()

        async def story() -> dict[str, Any]:
            client.check_may_set_policy()
            body = read(ClearancePolicyBody, strict_json(content))
            return await change(code, client, _service_of(service_type, body.service_type), body)

        return await _refusing(transactions, code, client, story)

    @router.delete(
        "",
        summary="Give a policy up",
        responses={**answers(views.ClearancePolicyAnswer), **refuses({403: _RIGHTS})},
    )
    async def delete_clearance_policy(
        code: Code, client: Annotated[Client, Depends(caller)], service_type: Service = None
    ) -> dict[str, Any]:
        """A service type has the clinic's policy again; without one nothing is required. Again, it does nothing."""

        async def story() -> dict[str, Any]:
            client.check_may_set_policy()
            return await change(code, client, _service_of(service_type, None), None)

        return await _refusing(transactions, code, client, story)

    @router.get("/changes", summary="Who required what when, newest first", responses=answers(views.PolicyVersionPage))
    async def get_clearance_policy_changes(
        code: Code,
        client: Annotated[Client, Depends(caller)],
        before: Annotated[int | None, Query(ge=1, lt=2**31, description="Versions below this one.")] = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 20,
    ) -> dict[str, Any]:
        """Every version that there ever was."""
        await _check_clinic(reads, code, client)
        async with reads.acquire() as connection:
            found = await changes_of(connection, code, before, limit)
        return {
            "items": list(map(views.version_view, found)),
            "next_before": next_place(found, limit, attrgetter("version")),
        }

    @router.post(
        "/dry-run",
        summary="How many visits ahead a policy would block",
        responses={**answers(views.ClearanceTrialView), **refuses({400: BAD_BODY, 422: _WRONG})},
        openapi_extra=body_schema(
            ClearanceTrialBody, {"clinic": POLICY, "give up": {"unset": True}}, "The policy to try."
        ),
    )
    async def try_clearance_policy(
        request: Request, code: Code, client: Annotated[Client, Depends(caller)], service_type: Service = None
    ) -> views.ClearanceTrialView:
        """Look at every visit ahead with what is held of it, as of its start; nothing is changed."""
        content = await request.body()
        now = transactions.clock.now()

        async def story() -> views.ClearanceTrialView:
            body = read(ClearanceTrialBody, strict_json(content))
            service = _service_of(service_type, body.service_type)
            trial = await _trial(reads, code, service, body, client.client_id, now)
            if slots.locked():
                raise busy()
            async with slots:
                return await try_policy(reads, trial, now)

        return await _refusing(transactions, code, client, story)

    return router


def kind_routes(transactions: Transactions, reads: Pool, caller: Caller) -> APIRouter:
    """Return the routes of kinds of clearance."""
    router = APIRouter(prefix="/v1", tags=["clearances"])

    @router.get(
        "/clearance-kinds",
        summary="Which kinds of clearance there are",
        responses={**answers(views.KindList), **_OWN},
    )
    async def list_clearance_kinds(
        client: Annotated[Client, Depends(caller)],
        clinic: Annotated[str | None, Query(max_length=10, description="As this clinic has them.")] = None,
    ) -> dict[str, Any]:
        """Those that everybody has, or a clinic's: its own, and everybody's that it has no own word of."""
        if clinic is not None:
            await _check_clinic(reads, clinic, client)
        async with reads.acquire() as connection:
            kinds = (await kinds_of(connection, [clinic or ""]))[clinic or ""]
        return {"items": [views.kind_view(kind) for _, kind in sorted(kinds.items())]}

    @router.put(
        "/clinics/{code}/clearance-kinds/{kind}",
        summary="Add a kind of clearance to a clinic, or say an existing one in its own words",
        responses={
            **answers(views.KindAnswer), **_OWN,
            **refuses(
                {400: BAD_BODY, 403: _RIGHTS, 409: ("KIND_SHAPE_FIXED",),
                 422: (*BAD_FIELD, "UNKNOWN_FIELD", "UNKNOWN_SHAPE", "BAD_SLUG", "BAD_URL", "ILLEGAL_CLINIC_CODE")}
            ),
        },
        openapi_extra=body_schema(KindBody, {"a kind": KIND}, "The kind, whole."),
    )  # fmt: skip
    async def put_clearance_kind(
        request: Request,
        code: Code,
        kind: Annotated[str, Path(max_length=40, description="Its name: a to z, 0 to 9 and hyphens.")],
        client: Annotated[Client, Depends(caller)],
    ) -> dict[str, Any]:
        """The shape of a kind stays: visits hold clearances of it. Each word is kept; the same again does nothing."""
        content = await request.body()

        async def story() -> dict[str, Any]:
            client.check_may_set_policy()
            told = read(KindBody, strict_json(content)).kind(code, kind, client.client_id, transactions.clock.now())
            changed = await transactions.run(lambda connection: set_kind(PostgresRequirements(connection), told))
            return {**views.kind_view(told), "changed": changed}

        return await _refusing(transactions, code, client, story)

    return router


async def _refusing[T](transactions: Transactions, code: str, client: Client, story: Callable[[], Awaitable[T]]) -> T:
    """Return what the story makes of a clinic of the client's; a refusal is counted, and answered as a problem."""
    try:
        client.check_clinic(clinic_code(code, "code"), "code")
        return await story()
    except Refused as refusal:
        transactions.counts.refused(refusal)
        raise _unknown() if refusal.code == UNKNOWN_CLINIC else problem(refusal) from None


async def _check_clinic(reads: Pool, code: str, client: Client) -> None:
    try:
        client.check_clinic(clinic_code(code, "code"), "code")
    except Refused as refusal:
        raise problem(refusal) from None
    if await clinic_called(reads, code) is None:
        raise _unknown()


async def _trial(
    reads: Pool, code: str, service: str | None, body: ClearanceTrialBody, by: str, now: datetime
) -> Trial:
    if await clinic_called(reads, code) is None:
        raise _unknown()
    async with reads.acquire() as connection:
        held = (await policies_of(connection, [code]))[code]
        kinds = (await kinds_of(connection, [code]))[code]
    own, last = own_of(held, service), max((one.version for one in held), default=0)
    if body.unset:
        change = giving_up(own, last + 1, by, now)
    elif "requires" not in body.model_fields_set:
        raise Refused("MISSING_FIELD", "give what to require, or `unset`", "requires")
    else:
        change = change_of(own, code, service, checked(body.wanted, kinds), last + 1, by, now)
    return Trial(code, service, held, with_change(held, change), kinds)


def _view(code: str, service_type: str | None, held: Sequence[ClearancePolicy]) -> dict[str, Any]:
    own, policy = own_of(held, service_type), in_force(held, service_type)
    return {
        "clinic_id": code,
        "service_type": service_type,
        "own": own is not None and not own.unset,
        "policy": None if policy is None else views.version_view(policy),
        "service_types_with_own": sorted(one.service_type for one in held if one.service_type and not one.unset),
    }


def _service_of(asked: str | None, told: str | None) -> str | None:
    """Return the service type meant by the query, the body or both; None for the clinic's policy."""
    if asked is not None and told is not None and asked != told:
        raise Refused("SERVICE_TYPE_CONFLICT", "the body and the query name different service types", "service_type")
    named = asked if told is None else told
    return None if named is None else texts.name(named, "service_type")


def _unknown() -> Problem:
    return Problem(404, UNKNOWN_CLINIC, "No clinic has this code; PUT /v1/clinics first.")
