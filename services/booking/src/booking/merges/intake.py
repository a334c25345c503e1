"""Merges that messages tell of, each message in a transaction of its own."""

from collections.abc import Sequence

from booking.door.transactions import Transactions
from booking.merges.store import PostgresMergeStore
from booking.merges.told import ToldMerges, merge_told
from booking.values.refusals import Refused


class MergeIntake:
    """Takes merges and says after the commit why one is refused."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def merge(self, messages: Sequence[ToldMerges]) -> list[Refused | None]:
        """Merge what each message says, in order; one that is refused changes nothing, and keeps no other back."""
        return [await self._merge(told) for told in messages]

    async def _merge(self, told: ToldMerges) -> Refused | None:
        now = self._transactions.clock.now()
        try:
            await self._transactions.run(lambda connection: merge_told(PostgresMergeStore(connection), told, now))
        except Refused as refusal:
            self._transactions.counts.refused(refusal)
            return refusal
        return None
