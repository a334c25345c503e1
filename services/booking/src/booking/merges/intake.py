"""Merges that messages tell of, each message in a transaction of its own."""

from collections.abc import Sequence

from booking.door.transactions import Transactions
from booking.merges.store import PostgresMergeStore
from booking.merges.told import ToldMerges, merge_told, unregistered
from booking.patients.intake import RegistrationIntake
from booking.values.refusals import NOT_REGISTERED, Refused


class MergeIntake:
    """Takes merges and says after the commit why one is refused."""

    def __init__(self, transactions: Transactions, people: RegistrationIntake) -> None:
        self._transactions, self._people = transactions, people

    async def merge(self, messages: Sequence[ToldMerges]) -> list[Refused | None]:
        """Merge what each message says, in order; one that is refused changes nothing, and keeps no other back."""
        return [await self._merge(told) for told in messages]

    async def _merge(self, told: ToldMerges) -> Refused | None:
        """Merge; whoever is kept and was only booked so far is registered before, in a transaction of its own."""
        refusal = await self._merged(told)
        if refusal is not None and refusal.code == NOT_REGISTERED:
            people = await self._transactions.run(lambda connection: unregistered(PostgresMergeStore(connection), told))
            outcomes = await self._people.register(people, told.client)
            refusal = next((one for one in outcomes if isinstance(one, Refused)), None) or await self._merged(told)
        if refusal is not None:
            self._transactions.counts.refused(refusal)
        return refusal

    async def _merged(self, told: ToldMerges) -> Refused | None:
        now = self._transactions.clock.now()
        try:
            await self._transactions.run(lambda connection: merge_told(PostgresMergeStore(connection), told, now))
        except Refused as refusal:
            return refusal
        return None
