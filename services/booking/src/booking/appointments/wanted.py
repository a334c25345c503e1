"""Which visits are asked for: by clinic, day, provider, patient and status, each as whoever asks calls it."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import Query

from booking.clinics.store import clinic_called
from booking.door.domain import ALL, Client
from booking.safety.store import is_named_by, patient_named
from booking.values import texts
from booking.values.identity import clinic_code
from booking.values.refusals import UNKNOWN_CLINIC, Refused
from booking.values.times import FIRST_YEAR, calendar_day, day_at, instant, wall_time
from chassis.api.app import Problem
from chassis.postgres.database import Pool
from schemas.appointments import Status
from schemas.wire import provider_id

EVER = f"{FIRST_YEAR}-01-01T00:00Z"

_FILES = """
WITH RECURSIVE file AS (
    SELECT $1::uuid AS patient_id
    UNION
    SELECT m.patient_id FROM file JOIN patient_merge m ON m.merged_into = file.patient_id
)
SELECT patient_id FROM file
"""
_PROVIDER = """
SELECT provider_id FROM provider WHERE provider_id = $1
UNION ALL
(SELECT provider_id FROM appointment WHERE provider_id = $1 LIMIT 1)
LIMIT 1
"""
_KEPT_AS = "SELECT first_id FROM provider_alias WHERE source = $1 AND source_id = $2"


class Filter(NamedTuple):
    """What a question says beside `from`, as it is written."""

    clinic: str | None = None
    day: str | None = None
    to: str | None = None
    provider: str | None = None
    patient: str | None = None
    status: Sequence[Status] = ()

    @property
    def is_any(self) -> bool:
        """Whether anything is said: then whole visits are answered."""
        return self != NO_FILTER


NO_FILTER = Filter()


def filter_of(
    clinic: Annotated[str | None, Query(description="A clinic's code.")] = None,
    day: Annotated[
        str | None, Query(description="`YYYY-MM-DD`, `today` or `tomorrow` by the clock at the clinic; with `clinic`.")
    ] = None,
    to: Annotated[str | None, Query(description="Visits that start before; ISO 8601 with offset.")] = None,
    provider: Annotated[str | None, Query(description="The provider's id here, or the source's.")] = None,
    patient: Annotated[str | None, Query(description="The patient's id here, or the source's.")] = None,
    status: Annotated[list[Status] | None, Query(description="May be given several times.")] = None,
) -> Filter:
    """Return the filter in a request's query."""
    return Filter(clinic, day, to, provider, patient, tuple(status or ()))


class Wanted(NamedTuple):
    """The visits asked for, in our own words; None: whatever it is.

    Attributes:
        source: Of what came from it alone; whoever asks may see it.
        patients: The patient's file, and those that were merged into it.
    """

    start: datetime
    until: datetime | None = None
    clinic: str | None = None
    provider: UUID | None = None
    patients: Sequence[UUID] | None = None
    statuses: Sequence[str] | None = None
    source: str | None = None


async def wanted_of(
    pool: Pool, client: Client, given: Filter, now: datetime, start_from: str | None = None, source: str | None = None
) -> Wanted:
    """Return what is asked for, for who may ask it.

    Args:
        start_from: The question's `from`.
        source: Of what came from it alone; `provider` and `patient`, where they are no ids of ours, are its ids.

    Raises:
        Refused: CLINIC_REQUIRED, DAY_OR_RANGE, UNKNOWN_CLINIC, FOREIGN_CLINIC, FOREIGN_SOURCE, BAD_DAY and
            those of times and ids.
        Problem: 404 UNKNOWN_PATIENT, UNKNOWN_PROVIDER.
    """
    named = None if source is None else own_source(client, source)
    zone = None if given.clinic is None else await _zone(pool, client, given.clinic)
    if given.day is None:
        start = instant(start_from or EVER, None, "from")
        until = None if given.to is None else instant(given.to, None, "to")
    else:
        if start_from is not None or given.to is not None:
            raise Refused("DAY_OR_RANGE", "name a day, or from and to", "day")
        if zone is None:
            raise Refused("CLINIC_REQUIRED", "a day is one of a clinic's calendar: name the clinic", "clinic")
        start, until = day_at(_day(given.day, zone, now), zone)
    return Wanted(
        start,
        until,
        given.clinic,
        None if given.provider is None else await provider_meant(pool, client, given.provider, source),
        None if given.patient is None else await _files(pool, client, given.patient, source),
        [status.value for status in given.status] or None,
        named,
    )


def own_source(client: Client, written: str) -> str:
    """Return the source that a question names.

    Raises:
        Refused: FOREIGN_SOURCE, or it can be no source.
    """
    return client.source(texts.identifier(written, "source"))


def _day(written: str, zone: str, now: datetime) -> date:
    days = _NEAR_DAYS.get(written)
    return calendar_day(written, "day") if days is None else wall_time(now, zone).date() + timedelta(days=days)


_NEAR_DAYS = {"today": 0, "tomorrow": 1}


async def _zone(pool: Pool, client: Client, clinic: str) -> str:
    client.check_clinic(clinic_code(clinic, "clinic"), "clinic")
    found = await clinic_called(pool, clinic)
    if found is None:
        raise Refused(UNKNOWN_CLINIC, "no clinic has this code", "clinic")
    return found.zone


async def provider_meant(pool: Pool, client: Client, given: str, source: str | None) -> UUID:
    """Return the provider of an id of ours, else of the source's.

    Raises:
        Problem: 404 UNKNOWN_PROVIDER: visits and PUT /v1/providers name nobody so.
    """
    ours = _uuid(given)
    if ours is not None and await pool.fetchval(_PROVIDER, ours) is not None:
        return ours
    named = _source(client, source, ours)
    first = None if named is None else await pool.fetchval(_KEPT_AS, named, texts.identifier(given, "provider"))
    if named is None or first is None:
        raise Problem(404, "UNKNOWN_PROVIDER", "No provider has this id, here or at the client's source.")
    return provider_id(named, first)


async def _files(pool: Pool, client: Client, given: str, source: str | None) -> list[UUID]:
    ours = _uuid(given)
    if ours is not None and not (client.sees_source(ALL) or await is_named_by(pool, ours, client.sources)):
        ours = None
    if ours is None:
        named = _source(client, source, _uuid(given))
        ours = None if named is None else await patient_named(pool, named, texts.identifier(given, "patient"))
    if ours is None:
        raise Problem(404, "UNKNOWN_PATIENT", "No such patient, or none of this client's sources.")
    return [row["patient_id"] for row in await pool.fetch(_FILES, ours)]


def _source(client: Client, source: str | None, ours: UUID | None) -> str | None:
    """Return whose id it may be; None where one of ours may be meant, and a client of several sources names none."""
    try:
        return client.source(None if source is None else texts.identifier(source, "source"))
    except Refused:
        if ours is None or source is not None:
            raise
        return None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
