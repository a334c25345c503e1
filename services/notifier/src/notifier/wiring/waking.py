"""What lets waiting messages be looked at again by whoever lifts a bar: in the lifting's own transaction (D58)."""

from datetime import datetime
from uuid import UUID

from chassis.postgres.database import Connection
from notifier.fanout.handle.people import on_lifted, on_people
from notifier.fanout.store import PostgresFanoutStore
from notifier.settings import Settings
from notifier.values.addresses import Address, Peppers


class Waking:
    """Wakes the messages of a patient, or of an address. Every connection is in a READ COMMITTED transaction."""

    def __init__(self, settings: Settings, peppers: Peppers) -> None:
        self._sending, self._link, self._peppers = settings.sending, settings.appointment_link, peppers

    async def of_patient(self, connection: Connection, patient_id: UUID, now: datetime) -> None:
        """Tell a patient what waits for him, after he has said which channels stay on."""
        await on_people(self._store(connection), [str(patient_id)], self._sending, now)

    async def of_address(self, connection: Connection, address: Address, now: datetime) -> None:
        """Tell whoever is at this address what waits for him, after its opt-out was taken back."""
        await on_lifted(self._store(connection), address, self._sending, now)

    def _store(self, connection: Connection) -> PostgresFanoutStore:
        return PostgresFanoutStore(connection, self._link, self._peppers)
