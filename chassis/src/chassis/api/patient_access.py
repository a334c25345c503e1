"""The patient about whom somebody asks: by our id of him, or by what a source calls him (decision 0048)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from chassis.api.client_access import Asker, ClientAccess


@dataclass(frozen=True, slots=True)
class OfPatient:
    """The patient meant, whom the caller may write."""

    patient_id: UUID
    asker: Asker


type Whose = Callable[..., Awaitable[OfPatient]]
"""A dependency that gives him; it refuses as booking does: 403, 404, or 422 where he is not named as he has to be."""


def by_our_id(access: ClientAccess) -> Whose:
    """Return the dependency of paths with `{patient_id}`. The operator needs no booking for it."""

    async def whose(patient_id: UUID, asker: Annotated[Asker, Depends(access)]) -> OfPatient:
        return OfPatient(await asker.patient(patient_id, None, None), asker)

    return whose


def by_name(access: ClientAccess) -> Whose:
    """Return the dependency of paths without: the patient is named in the query."""

    async def whose(
        asker: Annotated[Asker, Depends(access)],
        id: Annotated[str, Query(max_length=200, description="What the source calls the patient.")],  # the API's word
        source: Annotated[str | None, Query(max_length=200, description="Left out: the client's only source.")] = None,
    ) -> OfPatient:
        return OfPatient(await asker.patient(None, source, id), asker)

    return whose
