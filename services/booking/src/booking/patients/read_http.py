"""`GET /v1/patients`: whom a source names, page by page, and one by his name or our id."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from booking.door.auth import Caller
from booking.door.bodies import Source, problem
from booking.door.domain import OPERATOR, Client
from booking.door.merge_patch import ID, etag
from booking.patients.bodies import PatientPage, PatientView
from booking.patients.reads import find, page, shown
from booking.values import texts
from booking.values.refusals import Refused
from chassis.api.app import refuses
from chassis.postgres.database import Pool

LONGEST_PAGE = 1_000

_UNREADABLE = ("SOURCE_REQUIRED", "PADDED_ID", "CONTROL_CHARACTER")


def routes(reads: Pool, reader: Caller) -> APIRouter:
    """Return the routes by which patients are read. A client sees of whom it may write; the operator sees all."""
    router = APIRouter(prefix="/v1", tags=["reference data"])

    @router.get(
        "/patients",
        summary="Patients whom a source names, by page",
        responses=refuses({403: ("FOREIGN_SOURCE", "MAY_NOT_REGISTER"), 422: _UNREADABLE}),
    )
    async def get_patients(
        client: Annotated[Client, Depends(reader)],
        source: Source = None,
        name: Annotated[
            str | None,
            Query(min_length=2, max_length=100, description="How a given or family name begins; any case."),
        ] = None,
        after: Annotated[str, Query(max_length=200, description="`next_after` of the page before.")] = "",
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 100,
    ) -> PatientPage:
        """In the order of the source's ids; those who visit clinics that the client does not see are left out.

        Names are looked for by those who may register patients, and by the operator.
        """
        try:
            if name is not None and client is not OPERATOR:
                client.check_may_register()
            began = name and texts.name(name, "name")
            whose, place = client.source(source), after and texts.identifier(after, "after")
            items, following = await page(reads, client, whose, place, limit, began)
        except Refused as refusal:
            raise problem(refusal) from None
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
