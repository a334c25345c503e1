"""`PUT /v1/patients`: patients, one by one or up to 1,000 at once; safe to send again."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr, ValidationError

from booking.door.auth import Caller
from booking.door.bodies import Id, Text, answer_schema, body_schema, problem, refusal_of
from booking.door.domain import Client
from booking.door.strict_json import strict_json
from booking.door.transactions import Transactions
from booking.patients.domain import main_files
from booking.patients.domain.patient import NOBODY, PATIENT_FLAGS, PatientState
from booking.patients.domain.registrations import Outcome, Registered, Registration
from booking.patients.intake import RegistrationIntake
from booking.values import contacts, texts
from booking.values.identity import Identity
from booking.values.refusals import Refused

LARGEST_BATCH = 1_000
READ_AT_ONCE = 50
"""Patients read before other requests have their turn: some 10 ms."""

Source = Annotated[str | None, Query(description="Left out: the client's only source.")]


_FLAG = "Left out: as it is. The default is that of a patient who is not known yet."


class PatientBody(BaseModel):
    """A patient, whole: what is left out is not known. Of the three flags only those change that are named (D51)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    given_name: Text | None = None
    family_name: Text | None = None
    mobile: StrictStr | None = Field(default=None, description="E.164, or national in `country`.")
    country: StrictStr | None = Field(default=None, description="By which a national number is read.")
    email: StrictStr | None = None
    language: Text | None = None
    consent: StrictBool = Field(default=True, description=_FLAG)
    do_not_contact: StrictBool = Field(default=False, description=_FLAG)
    deceased: StrictBool = Field(default=False, description=_FLAG)
    main_file: StrictStr | None = Field(default=None, description="FILE-YYYY-NNNNNN, if upstream issued one.")


class ListedBody(PatientBody):
    """A patient in a batch."""

    id: Id = Field(description="The source's id of the patient.")
    source: StrictStr | None = Field(default=None, description="Left out: the query's, or the client's only one.")


class PatientAnswer(BaseModel):
    """The patient as he is now."""

    patient_id: str
    main_file: str = Field(description="FILE-YYYY-NNNNNN.")
    version: int = Field(description="The same as before if nothing changed.")
    reminders_cancelled: int | None = Field(
        description="How many reminders of his visits ahead this request takes back: those that lay ahead when a flag "
        "changed by which no message may go to him. 0 where it takes back none, so also when the same is sent again. "
        "null: it takes back some, and they were not counted, because all whom its transaction flags have more than "
        "1,000 visits ahead together; requests that come at the same time share a transaction."
    )


class ListedAnswer(PatientAnswer):
    """One patient of a batch: as he is now, or why he is not registered."""

    model_config = ConfigDict(json_schema_extra=lambda schema: schema.update(required=["status"]))

    id: str = Field(description="The source's id of the patient, if it can be one.")
    status: int = Field(description="200, or that of the refusal, which has code, detail and place instead.")
    code: str
    detail: str
    place: str


class BatchAnswer(BaseModel):
    """The answers, in the order of the bodies."""

    results: list[ListedAnswer]


class BatchBody(BaseModel):
    """Several patients."""

    patients: list[ListedBody]


_PATIENT = {
    "given_name": "Amina", "family_name": "Kimathi", "mobile": "+447700900123", "email": "amina@example.org",
    "language": "en", "consent": True,
}  # fmt: skip
_ONE = body_schema(PatientBody, {"patient": _PATIENT}, "The patient, whole.") | answer_schema(PatientAnswer)
_BATCH = body_schema(
    BatchBody,
    {"patients": {"patients": [{"id": "p-1", **_PATIENT}]}},
    f"An array of patients, or {{'patients': [...]}}; at most {LARGEST_BATCH}. Each is answered for itself.",
) | answer_schema(BatchAnswer)


def routes(transactions: Transactions, intake: RegistrationIntake, caller: Caller, default_country: str) -> APIRouter:
    """Return the routes.

    Args:
        default_country: By which national phone numbers are read when the body names no country.
    """
    router = APIRouter(prefix="/v1", tags=["reference data"])

    @router.put("/patients/{source_id:path}", summary="Register a patient", openapi_extra=_ONE)
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
            wish = registration(identity, _read(PatientBody, told), client, default_country)
        except Refused as refusal:
            transactions.counts.refused(refusal)
            raise problem(refusal) from None
        (outcome,) = await intake.register([wish], client)
        if isinstance(outcome, Refused):
            raise problem(outcome)
        return _members(outcome)

    @router.put("/patients", summary="Register many patients", openapi_extra=_BATCH)
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


def _listed(value: Any, client: Client, source: str | None, default_country: str) -> Registration | Refused:
    try:
        body = _read(ListedBody, value)
        identity = (client.source(body.source or source), texts.identifier(body.id, "id"))
        return registration(identity, body, client, default_country)
    except Refused as refusal:
        return refusal


def _read[B: BaseModel](model: type[B], value: Any) -> B:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise refusal_of(error) from None


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


def registration(identity: Identity, body: PatientBody, client: Client, default_country: str) -> Registration:
    """Return what the body tells of a patient.

    Raises:
        Refused: A text, a contact or the main file is not acceptable.
    """
    country = contacts.country(body.country or default_country, "country")

    def text(value: str | None, place: str) -> str | None:
        return None if value is None else texts.name(value, place)

    told = PatientState(
        patient_id=NOBODY.patient_id,
        main_file=None if body.main_file is None else main_files.check(body.main_file, "main_file"),
        given_name=text(body.given_name, "given_name"),
        family_name=text(body.family_name, "family_name"),
        language=text(body.language, "language"),
        mobile=None if body.mobile is None else contacts.mobile(body.mobile, country, "mobile"),
        email=None if body.email is None else contacts.email(body.email, "email"),
    )
    return Registration(
        identity, told, {flag: getattr(body, flag) for flag in PATIENT_FLAGS if flag in body.model_fields_set}, client
    )
