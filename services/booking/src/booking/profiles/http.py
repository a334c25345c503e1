"""`/v1/sources/{source}/profile`: what a source means by what it sends, tried, given and shown (0060)."""

from collections.abc import Awaitable, Callable
from operator import attrgetter
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Path, Query, Request

from booking.door.auth import Caller
from booking.door.bodies import BAD_BODY, BAD_FIELD, body_schema, problem
from booking.door.domain import OPERATOR, Client
from booking.door.merge_patch import IfMatch
from booking.door.strict_json import strict_json
from booking.door.transactions import Transactions
from booking.profiles import bodies
from booking.profiles.bodies import ProfileAnswer, ProfileBody, ProfileSchema, ProfileVersionPage, ProfileView
from booking.profiles.domain import Profile
from booking.profiles.handle import Wish, give_profile
from booking.profiles.store import PostgresProfiles, versions_of
from booking.values import texts
from booking.values.refusals import Refused
from chassis.api.app import answers, refuses
from chassis.api.if_match import version_of
from chassis.api.page_cursor import next_place
from chassis.postgres.database import Pool

log: structlog.stdlib.BoundLogger = structlog.get_logger()

LONGEST_PAGE = 100

Source = Annotated[str, Path(description="The source's name, as events have it.")]
DryRun = Annotated[bool, Query(description="Only say what would change.")]

_WRONG = (
    *BAD_FIELD, "UNKNOWN_FIELD", "UNKNOWN_VALUE", "WRONG_PATTERN", "NUMBER_OUT_OF_RANGE", "UNKNOWN_ZONE",
    "UNKNOWN_COUNTRY", "UNKNOWN_ENCODING", "BAD_DATE_FORMAT", "ILLEGAL_CLINIC_CODE", "PADDED_ID",
)  # fmt: skip
_REFUSED = {
    400: BAD_BODY, 403: ("FOREIGN_SOURCE", "FOREIGN_CLINIC", "MAY_NOT_MANAGE_CLINICS"), 412: ("VERSION_CHANGED",),
    422: _WRONG,
}  # fmt: skip


def routes(
    transactions: Transactions, reads: Pool, reader: Caller, applied: Callable[[], Awaitable[None]]
) -> APIRouter:
    """Return the routes. A client asks of its own sources, the operator of any.

    Args:
        applied: Called after the commit of another profile.
    """
    own = refuses({403: ("FOREIGN_SOURCE",), 422: ("PADDED_ID", "CONTROL_CHARACTER")})
    router = APIRouter(prefix="/v1/sources", tags=["sources"])

    @router.get("/profile-schema", summary="The JSON schema of a profile", responses=answers(ProfileSchema))
    async def get_profile_schema(client: Annotated[Client, Depends(reader)]) -> ProfileSchema:
        """Every key, its default and what it is for, as JSON Schema: for editors, and for whoever writes a profile."""
        return ProfileSchema(Profile.model_json_schema())

    @router.get("/{source}/profile", summary="A source's profile", responses={**answers(ProfileView), **own})
    async def get_profile(source: Source, client: Annotated[Client, Depends(reader)]) -> ProfileView:
        """What holds, as it was said and whole, since when, and who said so."""
        named = _named(client, source)
        return bodies.view(named, next(iter(await versions_of(reads, named)), None))

    @router.put(
        "/{source}/profile",
        summary="Give a source another profile",
        responses={**answers(ProfileAnswer), **refuses(_REFUSED)},
        openapi_extra=body_schema(ProfileBody, {"profile": bodies.EXAMPLE}, "The profile, whole."),
    )
    async def put_profile(
        request: Request,
        source: Source,
        client: Annotated[Client, Depends(reader)],
        dry_run: DryRun = False,
        if_match: IfMatch = None,
    ) -> ProfileAnswer:
        """It holds for whatever is taken from now on, in every process within seconds. The same again writes nothing.

        For the operator, or a client of that source that may manage clinics and is limited to none. Every place that
        is wrong is named. With `dry_run` nothing is written, and `changes` says what each key would mean.
        """
        body = await request.body()
        try:
            if client is not OPERATOR:
                client.check_may_judge_steps()
            named = client.source(texts.identifier(source, "source"))
            profile, reason = bodies.read(strict_json(body))
            wish = Wish(profile, client.client_id, reason, transactions.clock.now(), version_of(if_match), dry_run)
            given = await transactions.run(lambda connection: give_profile(PostgresProfiles(connection), named, wish))
        except Refused as refusal:
            transactions.counts.refused(refusal)
            raise problem(refusal) from None
        answer = bodies.answer(named, given, dry_run=dry_run)
        if given.changed:
            log.info("source.profile", version=answer.version, client=client.client_id)
            await applied()
        return answer

    @router.get(
        "/{source}/profile/versions",
        summary="Which profiles a source had, by whose word and why, newest first",
        responses={**answers(ProfileVersionPage), **own},
    )
    async def get_profile_versions(
        source: Source,
        client: Annotated[Client, Depends(reader)],
        before: Annotated[int | None, Query(ge=1, lt=2**31, description="`next_before` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 20,
    ) -> dict[str, Any]:
        """Every profile that was ever given."""
        items = [bodies.version_view(one) for one in await versions_of(reads, _named(client, source), before, limit)]
        return {"items": items, "next_before": next_place(items, limit, attrgetter("version"))}

    return router


def _named(client: Client, source: str) -> str:
    try:
        return client.source(texts.identifier(source, "source"))
    except Refused as refusal:
        raise problem(refusal) from None
