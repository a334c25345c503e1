"""What is about to leave, by clinic and minute (B9): read from the counts that the projector keeps."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, Field

from chassis.api.query_fields import Moment
from chassis.postgres.database import Pool
from chassis.process.errors import AttendError
from reminders.projector.pages import BadRange
from schemas import zones
from schemas.model import ClinicId

_DUE = """
SELECT date_trunc($4, minute, $5) AS at, sum(due)::bigint AS due FROM forecast
WHERE ($1::text IS NULL OR clinic_id = $1) AND minute >= $2 AND minute < $3
GROUP BY 1 HAVING sum(due) <> 0 ORDER BY 1
"""


class Step(StrEnum):
    """How long the time of one count is."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


LONGEST = {Step.MINUTE: timedelta(days=7), Step.HOUR: timedelta(days=92), Step.DAY: timedelta(days=400)}
"""At most about 10,000 counts in an answer."""


class Asked(BaseModel):
    """Which counts."""

    clinic: ClinicId | None = Field(None, description="Left out: all clinics together.")
    from_: Moment = Field(alias="from", description="ISO 8601 with offset; its minute is counted.")
    to: Moment = Field(description="ISO 8601 with offset; not counted any more.")
    step: Step = Step.MINUTE
    zone: str = Field("UTC", max_length=60, description="IANA zone in which hours and days begin.")


class Count(BaseModel):
    """How many reminders are due from `at` on, for one step."""

    at: datetime
    due: int


class Forecast(BaseModel):
    """Counts, soonest first; times without a reminder are left out."""

    clinic: str | None
    step: Step
    total: int
    items: list[Count]


class RangeTooLong(AttendError):
    """More counts than one answer holds."""

    def __init__(self, step: Step) -> None:
        super().__init__("RANGE_TOO_LONG", f"at most {LONGEST[step].days} days by {step.value}: take a larger step")


class UnknownZone(AttendError):
    """A zone that the IANA does not know."""

    def __init__(self) -> None:
        super().__init__("UNKNOWN_ZONE", "`zone` must be an IANA zone, such as Europe/London")


async def forecast(pool: Pool, asked: Asked) -> Forecast:
    """Return the reminders ahead: SCHEDULED, and not handed over yet."""
    if asked.to <= asked.from_:
        raise BadRange
    if asked.to - asked.from_ > LONGEST[asked.step]:
        raise RangeTooLong(asked.step)
    try:
        zone = zones.zone_of(asked.zone).key
    except zones.UnknownZone:
        raise UnknownZone from None
    first = asked.from_.astimezone(UTC).replace(second=0, microsecond=0)
    rows = await pool.fetch(_DUE, asked.clinic, first, asked.to, asked.step.value, zone)
    items = [Count(at=row["at"], due=row["due"]) for row in rows]
    return Forecast(clinic=asked.clinic, step=asked.step, total=sum(item.due for item in items), items=items)
