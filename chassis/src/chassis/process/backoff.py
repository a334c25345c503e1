"""How long to wait after a failure: twice as long after each one in a row. One way for the whole delivery core."""

import random

FIRST_S, LONGEST_S = 0.2, 5.0


class Backoff:
    """Counts the failures of one piece of work in a row.

    Args:
        first_s: The longest wait after the first failure, in seconds.
    """

    def __init__(self, first_s: float = FIRST_S, longest_s: float = LONGEST_S) -> None:
        self.failures = 0
        self._first_s = first_s
        self._longest_s = longest_s

    def failed(self) -> bool:
        """Count a failure; say whether it is one to log: the 1st, 2nd, 4th, 8th and so on."""
        self.failures += 1
        return self.failures & (self.failures - 1) == 0

    def succeeded(self) -> None:
        """Begin to count anew."""
        self.failures = 0

    def pause_s(self) -> float:
        """Return the seconds to wait now, by chance between half and all, so that what failed together comes apart."""
        doublings = min(self.failures - 1, 20)  # beyond, a float would overflow in the end
        return min(self._first_s * 2.0**doublings, self._longest_s) * random.uniform(0.5, 1)  # noqa: S311  # no secret
