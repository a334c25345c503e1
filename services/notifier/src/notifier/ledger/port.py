"""What every story that works on the ledger needs of its transaction."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from notifier.gate.domain.facts import GateFacts
from notifier.gate.domain.told import Said, Slot
from notifier.gate.domain.visit import Person, Visit
from notifier.ledger.domain.notification import Notification, Row


class GateTransaction(Protocol):
    """The send gate and the outbox inside one READ COMMITTED transaction."""

    async def gate(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, Visit]:
        """Read the send gate, as a statement of its own, after the locks."""

    async def facts(
        self, asked: Sequence[Notification], visits: Mapping[UUID, Visit], now: datetime
    ) -> Mapping[UUID, GateFacts]:
        """Return what else counts for each message to a patient, by its id; as `gate`, after the locks.

        Args:
            visits: Message → its visit, as its recipient has to see it.
        """

    async def said(self, appointment_ids: Collection[UUID]) -> Mapping[Slot, Sequence[Said]]:
        """Return what was said of these visits, or may have been, in order; as `gate`, after the locks."""

    async def people(self, patient_ids: Collection[UUID]) -> Mapping[UUID, Person]:
        """Return these patients by the ids asked for; as `gate`, after the locks."""

    async def publish(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Put these outcomes into the outbox."""


class LedgerTransaction(GateTransaction, Protocol):
    """The same, with the messages themselves."""

    async def lock(self, notification_ids: Collection[UUID]) -> Mapping[UUID, Row]:
        """Lock these messages in the order of their ids; return each, or that it cannot be read, but no unknown one."""

    async def write(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Write these states back; a lease begins for those in `sending` and ends for the others."""
