"""Tables of faults by a carrier's own codes, and whose fault an answer over HTTP is.

A code that no table has is the message's if it is a 4xx of HTTP.
"""

from collections.abc import Mapping

from notifier.ledger.domain.faults import Fault


def by_code(**codes: str) -> Mapping[int, Fault]:
    """Return a table from its faults, each with its codes in one string."""
    listed = [(int(code), Fault[name]) for name, of in codes.items() for code in of.split()]
    table = dict(listed)
    if len(table) != len(listed):
        raise ValueError("a code stands for two faults")
    return table


_HTTP = {
    **dict.fromkeys((401, 402, 403, 404, 405, 407, 410), Fault.ACCOUNT),
    408: Fault.FOR_NOW,
    425: Fault.FOR_NOW,
    429: Fault.THROTTLE,
    500: Fault.CARRIER,
    503: Fault.CARRIER,
}
"""By its status alone, where the carrier's own code says nothing. An address that is not there is our account's: it is
made of nothing else. A redirection is the carrier's. All others: the message's."""


def of_http(table: Mapping[int, Fault], status: int, code: int | None) -> Fault:
    """Return whose fault an answer is: by the carrier's own code if the table has it, else by its status."""
    if code is not None and code in table:
        return table[code]
    return Fault.CARRIER if 300 <= status <= 399 else _HTTP.get(status, Fault.MESSAGE)
