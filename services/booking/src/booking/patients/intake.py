"""Registrations of patients, taken in: those of one request, with others that wait, in one transaction."""

from collections.abc import Mapping, Sequence

import structlog

from booking.door.domain import Client
from booking.door.group_commit import Gatherer
from booking.door.transactions import Transactions
from booking.patients.domain.registrations import Outcome, Registered, Registration
from booking.patients.handle import Rules, register_people
from booking.patients.store import PostgresPatients
from booking.values.refusals import Refused

log: structlog.stdlib.BoundLogger = structlog.get_logger()

IDS_PER_LINE = 20
"""Patients named in one line of the log."""


class RegistrationIntake:
    """Takes registrations and answers them after their commit."""

    def __init__(self, transactions: Transactions, rules: Rules) -> None:
        self._transactions = transactions
        self._rules = rules
        # one at a time: they would wait for each other at the counter of main files, and gather meanwhile
        self._together = Gatherer(self._register, at_once=1, gather_s=0)

    async def register(self, registrations: Sequence[Registration], client: Client) -> list[Outcome]:
        """Register a request's patients in one transaction, together with those of other requests that wait."""
        return await self._together.accept(registrations, client)

    async def _register(self, registrations: Sequence[Registration], _clients: Mapping[str, Client]) -> list[Outcome]:
        now = self._transactions.clock.now()
        outcomes = await self._transactions.run(
            lambda connection: register_people(PostgresPatients(connection), registrations, now, self._rules)
        )
        for outcome in outcomes:
            if isinstance(outcome, Refused):
                self._transactions.counts.refused(outcome)
        _log_registered([outcome for outcome in outcomes if isinstance(outcome, Registered)])
        return outcomes


def _log_registered(registered: Sequence[Registered]) -> None:
    """Log creation and changes, with ids only (R31, R41)."""
    for event, created in (("patients.registered", True), ("patients.changed", False)):
        found = {one.patient.patient_id for one in registered if one.changed and (one.before == 0) is created}
        if found:
            ids = [str(key) for key in sorted(found)[:IDS_PER_LINE]]
            log.info(event, count=len(found), patient_ids=ids)
