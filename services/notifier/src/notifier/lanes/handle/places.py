"""How many messages an account may have claimed and not yet recorded."""

UNRECORDED = 2
"""Messages claimed and not recorded, in places, at most: a place is free once its call ends, before that is written."""


class Places:
    """Counts an account's messages until their calls end, and until their answers are in the ledger.

    Attributes:
        most: Messages claimed and not yet answered, at most; may be changed at any time.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._claimed = self._unrecorded = 0

    @property
    def room(self) -> int:
        """How many messages may be claimed now."""
        return max(0, min(self.most - self._claimed, UNRECORDED * self.most - self._unrecorded))

    @property
    def are_worth_a_claim(self) -> bool:
        """Say whether half the places are free, so that a claim's trips are shared by as many."""
        return self.room * 2 >= self.most

    def take(self) -> None:
        """Count a message that was claimed."""
        self._claimed += 1
        self._unrecorded += 1

    def answered(self) -> None:
        """Count the end of a call: its place is free."""
        self._claimed -= 1

    def recorded(self) -> None:
        """Count an answer that is in the ledger."""
        self._unrecorded -= 1
