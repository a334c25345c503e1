"""SMS of unknown outcome are looked for in Twilio's list; one that is found is settled as by a receipt.

SMTP and Meta have no list to look into: what is unknown there waits for a receipt, or for a person.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from uuid import UUID

import httpx2
import structlog

from chassis.postgres.database import Pool
from chassis.process.errors import Unavailable
from notifier.callbacks.handle.intake import Batch, Intake, Item
from notifier.carriers.twilio.callbacks import STATUSES
from notifier.carriers.twilio.carrier import TwilioAccount
from notifier.carriers.twilio.domain import BEFORE, Listed, Unknown, found
from notifier.carriers.twilio.message_list import NoList, messages_to
from notifier.carriers.twilio.store import known_references, unknown_attempts
from notifier.gate.domain.visit import Visit, mobile_of
from notifier.gate.store import read_gate
from notifier.receipts.domain import Carrier, Receipt, Reported
from notifier.values.addresses import Peppers

log: structlog.stdlib.BoundLogger = structlog.get_logger()

EVERY_S = 30.0
AT_ONCE = 50
MOST_UNKNOWN = 20_000
"""Of a day: an hour's outage of a lane that sends 5 a second. Beyond it the newest come first."""
FIRST_AGE_S, LAST_AGE_S = 60.0, 86_400.0
"""A message is listed soon after it was taken, and looked for as long as a day."""
PATIENCE = 2.0
"""Each wait is twice the one before: some eleven looks in a day."""


class LookUp:
    """A part of the process that serves the callbacks.

    Args:
        first_age_s: How old an attempt is when it is first looked for, machine time.
    """

    def __init__(
        self,
        pool: Pool,
        client: httpx2.AsyncClient,
        account_of: Callable[[str], TwilioAccount],
        peppers: Peppers,
        intake: Intake,
        first_age_s: float = FIRST_AGE_S,
        every_s: float = EVERY_S,
    ) -> None:
        self._pool, self._client, self._account_of, self._intake = pool, client, account_of, intake
        self._peppers = peppers
        self._first_age_s, self._every_s = first_age_s, every_s
        self._next: dict[UUID, tuple[float, float]] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Look until `stop` is set; a database that is away is asked again."""
        try:
            while not stop.is_set():
                try:
                    await self.round()
                except Unavailable as error:
                    log.warning("look_up.unavailable", code=error.code)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self._every_s)
        finally:
            await self._client.aclose()

    async def round(self) -> int:
        """Look once for what is due; return how many attempts were settled.

        An account whose list does not come is not asked again in this round; the other accounts are.
        """
        async with self._pool.acquire() as connection:
            due = self._due(await unknown_attempts(connection, self._first_age_s, LAST_AGE_S, MOST_UNKNOWN))
            visits = await read_gate(connection, {one.appointment_id for one in due}) if due else {}
        settled, silent = 0, set[TwilioAccount]()
        for one in due:
            visit = visits.get(one.appointment_id)
            if visit is None:
                continue
            try:
                account = self._account_of(visit.clinic_id)
                if account not in silent:
                    settled += await self._settle(one, visit, account)
            except Unavailable:
                raise
            except NoList as error:
                silent |= set() if error.alone else {account}
                log.warning("look_up.no_list", clinic_id=visit.clinic_id, error=str(error))
            except Exception:  # whatever one raises must not keep the others from being looked for
                log.exception("look_up.failed", attempt_id=str(one.attempt_id))
        return settled

    def _due(self, unknown: list[Unknown]) -> list[Unknown]:
        """Return those whose wait is over, and note the next one of each."""
        now, due = time.monotonic(), list[Unknown]()
        self._next = {one.attempt_id: self._next.get(one.attempt_id, (now, self._every_s)) for one in unknown}
        for one in unknown:
            at, wait = self._next[one.attempt_id]
            if at <= now and len(due) < AT_ONCE:
                due.append(one)
                self._next[one.attempt_id] = (now + wait, wait * PATIENCE)
        return due

    async def _settle(self, one: Unknown, visit: Visit, account: TwilioAccount) -> int:
        address = mobile_of(visit)
        if address is None or one.address not in self._peppers.of(address).keys:
            return 0  # the number is another one by now; the one that was written to is not kept
        listed = await messages_to(self._client, account, address, one.gated_at - BEFORE)
        message = found(one, listed, await known_references(self._pool, [each.reference for each in listed]))
        if message is None:
            return 0
        content = f"{message.reference} {message.status}".encode()
        batch = Batch(reports=[Item(_receipt(one, message), content)])
        heard = (await self._intake.take(Carrier.TWILIO, batch)).heard
        log.info("look_up.found", attempt_id=str(one.attempt_id), settled=len(heard.told))
        return len(heard.told)


def _receipt(one: Unknown, message: Listed) -> Receipt:
    return Receipt(
        carrier=Carrier.TWILIO,
        key=f"{message.reference}/listed-{message.status}/{one.attempt_id}",
        status=STATUSES.get(message.status, Reported.ACCEPTED),
        attempt_id=one.attempt_id,
        reference=message.reference,
        occurred_at=message.created_at,
    )
