"""What the release before has told, or may have, gets the columns by which that is found (decision 0037).

To whom, which start and when: to the patient as this service knows him, to the provider whose inbox has it; the start,
where the visit has the generation that the call saw. And for whom news waits. Visits ahead and of the last month are
walked through in portions, each a transaction that passes over rows which are locked: no lane waits for it. Any number
of processes may do this; again changes nothing. An instance of that release that runs meanwhile leaves more of the
same, so the walk comes again.
"""

import asyncio
import contextlib
from datetime import timedelta
from uuid import UUID

import structlog

from chassis.postgres.database import Pool
from chassis.process.clock import Clock
from chassis.process.errors import Unavailable

log: structlog.stdlib.BoundLogger = structlog.get_logger()

PORTION = 500
"""Visits of one transaction: some tens of milliseconds."""
EVERY_S = 3_600.0
AGAIN_S = 2.0
LATELY = timedelta(days=30)
_BEGIN = UUID(int=0)

_VISITS = """
SELECT appointment_id FROM appointment WHERE starts_at > $1 AND appointment_id > $2
ORDER BY appointment_id LIMIT $3"""

_GIVE = """
WITH told AS (
    SELECT notification_id FROM notification
    WHERE appointment_id = ANY($1::uuid[]) AND recipient_id IS NULL
      AND (accepted_at IS NOT NULL OR state IN ('sending', 'unknown')
           OR state = 'skipped' AND reason = 'BACKFILL'
           OR state = 'skipped' AND reason IN ('UNKNOWN_PATIENT', 'NO_CONTACT', 'UNKNOWN_PROVIDER')
              AND kind IN ('confirmation', 'moved', 'cancelled', 'provider-booked', 'provider-moved',
                           'provider-cancelled'))
    ORDER BY notification_id FOR UPDATE SKIP LOCKED
)
UPDATE notification AS one
SET recipient_id = CASE one.recipient WHEN 'patient' THEN visit.patient_id
                   ELSE coalesce((SELECT provider_id FROM inbox WHERE inbox.notification_id = one.notification_id),
                                 visit.provider_id) END,
    said_at = coalesce(one.accepted_at, one.changed_at),
    said_starts_at = CASE WHEN visit.schedule_gen = coalesce(
        (SELECT schedule_gen FROM attempt WHERE attempt.attempt_id = one.attempt_id), one.schedule_gen)
        THEN visit.starts_at END
FROM told, appointment AS visit
WHERE one.notification_id = told.notification_id AND visit.appointment_id = one.appointment_id
  AND (one.recipient = 'patient' OR visit.provider_id IS NOT NULL
       OR EXISTS (SELECT FROM inbox WHERE inbox.notification_id = one.notification_id))"""


class ToldBefore:
    """A part of the process that fans out: once before it reads a topic, and then every hour."""

    def __init__(
        self, pool: Pool, clock: Clock, every_s: float = EVERY_S, portion: int = PORTION, again_s: float = AGAIN_S
    ) -> None:
        self._pool, self._clock, self._every_s, self._portion = pool, clock, every_s, portion
        self._again_s = again_s

    async def first(self, stop: asyncio.Event) -> None:
        """Walk once, before anything is read; a database that is away is waited for, until `stop` is set."""
        while not stop.is_set():
            try:
                await self.walk()
                return
            except Unavailable as error:
                log.warning("told_before.unavailable", code=error.code)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._again_s)

    async def run(self, stop: asyncio.Event) -> None:
        """Walk again and again until `stop` is set; a database that is away for a while is waited for."""
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._every_s)
                return
            try:
                await self.walk()
            except Unavailable as error:
                log.warning("told_before.unavailable", code=error.code)

    async def walk(self) -> int:
        """Give all rows what they lack; return how many lacked it.

        Raises:
            Unavailable: The database is not there; the portions before are done.
        """
        given, last, since = 0, _BEGIN, self._clock.now() - LATELY
        while visits := [row[0] for row in await self._pool.fetch(_VISITS, since, last, self._portion)]:
            given += int((await self._pool.execute(_GIVE, visits)).rpartition(" ")[2])
            last = visits[-1]
        if given:
            log.info("told_before.given", count=given)
        return given
