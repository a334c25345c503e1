"""`GET /v1/patients`: whom a source names, page by page, and one by his id; `POST …/find`: by how a name begins."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from booking.door.auth import Caller
from booking.door.bodies import BAD_BODY, BAD_FIELD, Source, body_schema, problem, read
from booking.door.domain import OPERATOR, Client
from booking.door.merge_patch import ID, etag
from booking.door.strict_json import strict_json
from booking.patients.bodies import LONGEST_PAGE, FindBody, PatientPage, PatientView
from booking.patients.reads import find, page, shown
from booking.values import texts
from booking.values.refusals import Refused
from chassis.api.app import refuses
from chassis.postgres.database import Pool

_UNREADABLE = ("SOURCE_REQUIRED", "PADDED_ID", "CONTROL_CHARACTER")


def routes(reads: Pool, reader: Caller) -> APIRouter:
    """Return the routes by which patients are read. A client sees of whom it may write; the operator sees all."""
    router = APIRouter(prefix="/v1", tags=["reference data"])

    @router.get(
        "/patients",
        summary="Patients whom a source names, by page",
        responses=refuses({403: ("FOREIGN_SOURCE",), 422: _UNREADABLE}),
    )
    async def get_patients(
        client: Annotated[Client, Depends(reader)],
        source: Source = None,
        after: Annotated[str, Query(max_length=200, description="`next_after` of the page before.")] = "",
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 100,
    ) -> PatientPage:
        """In the order of the source's ids; those who visit clinics that the client does not see are left out."""
        return await listed(client, source, after, limit)

    @router.post(
        "/patients/find",
        summary="Patients by how a name begins",
        responses=refuses(
            {
                400: BAD_BODY,
                403: ("FOREIGN_SOURCE", "MAY_NOT_REGISTER"),
                422: (*BAD_FIELD, *_UNREADABLE, "UNKNOWN_FIELD"),
            }
        ),
        openapi_extra=body_schema(FindBody, {"name": {"name": "Kim"}}, "Whom to look for."),
    )
    async def find_patients(request: Request, client: Annotated[Client, Depends(reader)]) -> PatientPage:
        """As the list, those alone whose given or family name begins so, in any case.

        Names are looked for by those who may register patients, and by the operator. They stand in no URL.
        """
        content = await request.body()
        try:
            if client is not OPERATOR:
                client.check_may_register()
            asked = read(FindBody, strict_json(content))
            began = texts.name(asked.name, "name")
        except Refused as refusal:
            raise problem(refusal) from None
        return await listed(client, asked.source, asked.after, asked.limit, began)

    async def listed(
        client: Client, source: str | None, after: str, limit: int, began: str | None = None
    ) -> PatientPage:
        try:
            whose, place = client.source(source), after and texts.identifier(after, "after")
        except Refused as refusal:
            raise problem(refusal) from None
        items, following = await page(reads, client, whose, place, limit, began)
        return PatientPage(items=[PatientView.model_validate(one) for one in items], next_after=following)

    @router.get(
        "/patients/{id:path}",
        summary="A patient",
        responses=refuses({403: ("FOREIGN_SOURCE", "FOREIGN_PATIENT"), 404: ("UNKNOWN_PATIENT",), 422: _UNREADABLE}),
    )
    async def get_patient(
        response: Response,
        id: Annotated[str, Path(description=ID)],  # the API's word
        client: Annotated[Client, Depends(reader)],
        source: Source = None,
    ) -> PatientView:
        """The patient as he is held; a name of a file that was merged away gives the one that is kept."""
        try:
            found = await find(reads, client, id, source)
        except Refused as refusal:
            raise problem(refusal) from None
        (patient,) = await shown(reads, client, [found.patient_id])
        response.headers["ETag"] = etag(patient["version"])
        return PatientView.model_validate(patient)

    return router
