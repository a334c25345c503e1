"""`/v1/patients`: told of whole or in part, one by one or up to 1,000 at once; safe to send again."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from booking.door.auth import Caller
from booking.door.bodies import (
    BAD_BODY,
    BAD_FIELD,
    Body,
    Source,
    body_schema,
    naming_unread,
    problem,
    read,
    refused_members,
    unknown_fields,
)
from booking.door.domain import Client
from booking.door.merge_patch import ID, IfMatch, check_merge_patch, etag, merge_patch_schema
from booking.door.strict_json import strict_json
from booking.door.transactions import Transactions
from booking.patients.bodies import (
    BatchAnswer,
    BatchBody,
    ListedBody,
    PatientAnswer,
    PatientBody,
    in_part,
    registration,
)
from booking.patients.domain.registrations import Outcome, Registered, Registration
from booking.patients.intake import RegistrationIntake
from booking.patients.reads import find
from booking.values import texts
from booking.values.identity import Identity
from booking.values.refusals import Refused
from booking.values.warned import Warned, beside
from chassis.api.app import Problem, answers, refuses
from chassis.api.if_match import version_of
from chassis.postgres.database import Pool

LARGEST_BATCH = 1_000
READ_AT_ONCE = 50
"""Patients read before other requests have their turn: some 10 ms."""


_PATIENT_CODES = (
    *BAD_FIELD, "PADDED_ID", "BAD_PHONE", "NOT_A_MOBILE", "NO_COUNTRY", "UNKNOWN_COUNTRY", "BAD_EMAIL",
    "UNREACHABLE_EMAIL", "TOO_MANY_ADDRESSES", "BAD_MAIN_FILE", "MAIN_FILE_EXHAUSTED",
)  # fmt: skip
_CODES = {409: ("MAIN_FILE_TAKEN", "MAIN_FILE_FIXED"), 412: ("VERSION_CHANGED",), 422: _PATIENT_CODES}
_PATIENT = {
    "given_name": "Amina", "family_name": "Kimathi", "mobile": "+447700900123", "email": "amina@example.org",
    "language": "en", "consent": True,
}  # fmt: skip


class _Around(Body):
    patients: list[Any]


_ONE = body_schema(PatientBody, {"patient": _PATIENT}, "The patient, whole.")
_PART = merge_patch_schema(
    PatientBody, {"mobile": {"mobile": "+447700900124"}, "no email": {"email": None}}, "What changes; null goes."
)
_BATCH = body_schema(
    BatchBody | list[ListedBody],
    {"patients": {"patients": [{"id": "p-1", **_PATIENT}]}},
    f"An array of patients, or {{'patients': [...]}}; at most {LARGEST_BATCH}. Each is answered for itself.",
)


def routes(
    transactions: Transactions, reads: Pool, intake: RegistrationIntake, caller: Caller, default_country: str | None
) -> APIRouter:
    """Return the routes by which patients are told of."""
    general = {400: BAD_BODY, 403: ("FOREIGN_SOURCE", "FOREIGN_PATIENT", "MAY_NOT_REGISTER"), 503: ("IDENTITY_RACE",)}
    router = APIRouter(prefix="/v1", tags=["reference data"], responses=refuses(general))

    @router.put(
        "/patients/{source_id:path}",
        summary="Register a patient",
        responses={**answers(PatientAnswer), **refuses(_CODES)},
        openapi_extra=_ONE,
    )
    async def put_patient(
        request: Request,
        response: Response,
        source_id: Annotated[str, Path()],
        client: Annotated[Client, Depends(caller)],
        source: Source = None,
        if_match: IfMatch = None,
    ) -> dict[str, Any]:
        """Register or change a patient. The first time issues the main file; needs the right to register."""
        body = await request.body()
        try:
            client.check_may_register()
            value = strict_json(body)
            identity = (client.source(source), texts.identifier(source_id, "source id"))
            wish = _wish(identity, value, client, default_country)
        except Refused as refusal:
            raise refused(refusal) from None
        return await registered(wish._replace(version=version_of(if_match)), response)

    @router.patch(
        "/patients/{id:path}",
        summary="Change a patient in part",
        responses={
            **answers(PatientAnswer),
            **refuses({**_CODES, 404: ("UNKNOWN_PATIENT",), 415: ("UNSUPPORTED_MEDIA_TYPE",)}),
        },
        openapi_extra=_PART,
    )
    async def patch_patient(
        request: Request,
        response: Response,
        id: Annotated[str, Path(description=ID)],
        client: Annotated[Client, Depends(caller)],
        source: Source = None,
        if_match: IfMatch = None,
    ) -> dict[str, Any]:
        """Change what is named, and nothing else (RFC 7396): null takes away, what is left out stays.

        The patient is then as if he had been put whole. Whom bookings alone have named is registered by it.
        """
        check_merge_patch(request)
        body = await request.body()
        try:
            client.check_may_register()
            value = strict_json(body)
            found = await find(reads, client, id, source)
            whole = _wish(found.identity, value, client, default_country)
            wish = in_part(whole, read(PatientBody, value))
        except Refused as refusal:
            raise refused(refusal) from None
        return await registered(wish._replace(version=version_of(if_match)), response)

    async def registered(wish: Registration, response: Response) -> dict[str, Any]:
        (outcome,) = await intake.register([wish], wish.client)
        if isinstance(outcome, Refused):
            raise problem(beside(outcome, wish.warnings))
        response.headers["ETag"] = etag(outcome.patient.version)
        return _members(outcome, wish.warnings)

    def refused(refusal: Refused) -> Problem:
        transactions.counts.refused(refusal)
        return problem(refusal)

    @router.put(
        "/patients",
        summary="Register many patients",
        responses={
            **answers(BatchAnswer),
            **refuses({413: ("BATCH_TOO_LARGE",), 422: ("WRONG_TYPE", "EMPTY_BATCH")}),
        },
        openapi_extra=_BATCH,
    )
    async def put_patients(
        request: Request, client: Annotated[Client, Depends(caller)], source: Source = None
    ) -> dict[str, Any]:
        """Register or change up to 1,000 patients in one transaction; the answers stand in the order of the bodies."""
        body = await request.body()
        try:
            client.check_may_register()
            value = strict_json(body)
            with naming_unread(_Around, value):
                items, around = _items(value), list(unknown_fields(_Around, value))
        except Refused as refusal:
            raise refused(refusal) from None
        wished: list[Registration | Refused] = []
        for number, value in enumerate(items, 1):
            wished.append(_listed(value, client, source, default_country))
            if number % READ_AT_ONCE == 0:
                await asyncio.sleep(0)
        wishes = [one for one in wished if isinstance(one, Registration)]
        registered = iter(await intake.register(wishes, client))
        outcomes = [one if isinstance(one, Refused) else _told(next(registered), one) for one in wished]
        for one in wished:
            if isinstance(one, Refused):
                transactions.counts.refused(one)
        results = [_item(*one) for one in zip(items, wished, outcomes, strict=True)]
        return {"results": results, **({"warnings": [warned.members for warned in around]} if around else {})}

    return router


def _items(value: Any) -> Sequence[Any]:
    items = value.get("patients") if isinstance(value, dict) else value
    if not isinstance(items, list):
        raise Refused("WRONG_TYPE", "an array of patients", "patients")
    if len(items) > LARGEST_BATCH:
        raise Refused("BATCH_TOO_LARGE", f"at most {LARGEST_BATCH} patients", "patients")
    if not items:
        raise Refused("EMPTY_BATCH", "no patient in it", "patients")
    return items


def _listed(value: Any, client: Client, source: str | None, default_country: str | None) -> Registration | Refused:
    try:
        body = read(ListedBody, value)
        with naming_unread(ListedBody, value):
            identity = (client.source(body.source or source), texts.identifier(body.id, "id"))
            wish = registration(identity, body, client, default_country)
        return wish._replace(warnings=tuple(unknown_fields(ListedBody, value)))
    except Refused as refusal:
        return refusal


def _wish(identity: Identity, value: Any, client: Client, default_country: str | None) -> Registration:
    body = read(PatientBody, value)
    with naming_unread(PatientBody, value):
        wish = registration(identity, body, client, default_country)
    return wish._replace(warnings=tuple(unknown_fields(PatientBody, value)))


def _told(outcome: Outcome, wish: Registration) -> Outcome:
    return beside(outcome, wish.warnings) if isinstance(outcome, Refused) else outcome


def _members(registered: Registered, said: Sequence[Warned]) -> dict[str, Any]:
    patient = registered.patient
    return {
        "patient_id": str(patient.patient_id),
        "main_file": patient.main_file,
        "version": patient.version,
        "reminders_cancelled": registered.reminders_cancelled,
        "warnings": [warned.members for warned in (*said, *registered.warnings)],
    }


def _item(value: Any, wish: Registration | Refused, outcome: Outcome) -> dict[str, Any]:
    """Return one patient's part of the answer."""
    if isinstance(outcome, Registered):
        said = wish.warnings if isinstance(wish, Registration) else ()
        return {**_named(value), "status": 200, **_members(outcome, said)}
    return {**_named(value), **refused_members(outcome)}


def _named(value: Any) -> dict[str, str]:
    """Return the patient's id upstream, if that is what it is: what cannot be taken is not repeated."""
    written = value.get("id") if isinstance(value, dict) else None
    try:
        return {"id": texts.identifier(written, "id")} if isinstance(written, str) else {}
    except Refused:
        return {}
