"""`PUT /v1/patients`: patients, one by one or up to 1,000 at once; safe to send again."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request

from booking.door.auth import Caller
from booking.door.bodies import BAD_BODY, BAD_FIELD, body_schema, problem
from booking.door.domain import Client
from booking.door.strict_json import strict_json
from booking.door.transactions import Transactions
from booking.patients.bodies import BatchAnswer, BatchBody, ListedBody, PatientAnswer, PatientBody, read, registration
from booking.patients.domain.registrations import Outcome, Registered, Registration
from booking.patients.intake import RegistrationIntake
from booking.values import texts
from booking.values.refusals import Refused
from chassis.api.app import answers, refuses

LARGEST_BATCH = 1_000
READ_AT_ONCE = 50
"""Patients read before other requests have their turn: some 10 ms."""

Source = Annotated[str | None, Query(description="Left out: the client's only source.")]


_PATIENT_CODES = (
    *BAD_FIELD, "PADDED_ID", "BAD_PHONE", "NOT_A_MOBILE", "NO_COUNTRY", "UNKNOWN_COUNTRY", "BAD_EMAIL",
    "UNREACHABLE_EMAIL", "TOO_MANY_ADDRESSES", "BAD_MAIN_FILE", "MAIN_FILE_EXHAUSTED",
)  # fmt: skip
_PATIENT = {
    "given_name": "Amina", "family_name": "Kimathi", "mobile": "+447700900123", "email": "amina@example.org",
    "language": "en", "consent": True,
}  # fmt: skip
_ONE = body_schema(PatientBody, {"patient": _PATIENT}, "The patient, whole.")
_BATCH = body_schema(
    BatchBody | list[ListedBody],
    {"patients": {"patients": [{"id": "p-1", **_PATIENT}]}},
    f"An array of patients, or {{'patients': [...]}}; at most {LARGEST_BATCH}. Each is answered for itself.",
)


def routes(
    transactions: Transactions, intake: RegistrationIntake, caller: Caller, default_country: str | None
) -> APIRouter:
    """Return the routes."""
    general = {400: BAD_BODY, 403: ("FOREIGN_SOURCE", "FOREIGN_PATIENT", "MAY_NOT_REGISTER"), 503: ("IDENTITY_RACE",)}
    router = APIRouter(prefix="/v1", tags=["reference data"], responses=refuses(general))

    @router.put(
        "/patients/{source_id:path}",
        summary="Register a patient",
        responses={
            **answers(PatientAnswer),
            **refuses({409: ("MAIN_FILE_TAKEN", "MAIN_FILE_FIXED"), 422: _PATIENT_CODES}),
        },
        openapi_extra=_ONE,
    )
    async def put_patient(
        request: Request,
        source_id: Annotated[str, Path()],
        client: Annotated[Client, Depends(caller)],
        source: Source = None,
    ) -> dict[str, Any]:
        """Register or change a patient. The first time issues the main file; needs the right to register."""
        body = await request.body()
        try:
            client.check_may_register()
            told = strict_json(body)
            identity = (client.source(source), texts.identifier(source_id, "source id"))
            wish = registration(identity, read(PatientBody, told), client, default_country)
        except Refused as refusal:
            transactions.counts.refused(refusal)
            raise problem(refusal) from None
        (outcome,) = await intake.register([wish], client)
        if isinstance(outcome, Refused):
            raise problem(outcome)
        return _members(outcome)

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
            items = _items(strict_json(body))
        except Refused as refusal:
            transactions.counts.refused(refusal)
            raise problem(refusal) from None
        read: list[Registration | Refused] = []
        for number, value in enumerate(items, 1):
            read.append(_listed(value, client, source, default_country))
            if number % READ_AT_ONCE == 0:
                await asyncio.sleep(0)
        wishes = [one for one in read if isinstance(one, Registration)]
        registered = iter(await intake.register(wishes, client))
        outcomes = [one if isinstance(one, Refused) else next(registered) for one in read]
        for one in read:
            if isinstance(one, Refused):
                transactions.counts.refused(one)
        return {"results": [_item(value, outcome) for value, outcome in zip(items, outcomes, strict=True)]}

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
        identity = (client.source(body.source or source), texts.identifier(body.id, "id"))
        return registration(identity, body, client, default_country)
    except Refused as refusal:
        return refusal


def _members(registered: Registered) -> dict[str, Any]:
    patient = registered.patient
    return {
        "patient_id": str(patient.patient_id),
        "main_file": patient.main_file,
        "version": patient.version,
        "reminders_cancelled": registered.reminders_cancelled,
    }


def _item(value: Any, outcome: Outcome) -> dict[str, Any]:
    """Return one patient's part of the answer."""
    if isinstance(outcome, Registered):
        return {**_named(value), "status": 200, **_members(outcome)}
    refused = {"code": outcome.code, "detail": outcome.message, "place": outcome.place}
    return {**_named(value), "status": outcome.status, **refused}


def _named(value: Any) -> dict[str, str]:
    """Return the patient's id upstream, if that is what it is: what cannot be taken is not repeated."""
    written = value.get("id") if isinstance(value, dict) else None
    try:
        return {"id": texts.identifier(written, "id")} if isinstance(written, str) else {}
    except Refused:
        return {}
