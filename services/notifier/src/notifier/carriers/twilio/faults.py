"""Whose fault a refusal of Twilio's is, by its error dictionary (twilio.com/docs/api/errors)."""

from notifier.carriers.faults import by_code, of_http
from notifier.ledger.domain.faults import Fault

TWILIO = by_code(
    ACCOUNT="10001 20002 20003 20005 20006 20008 20010 20101 20104 20403 30002",
    SENDER="21212 21408 21603 21606 21608 21659 21660 21661 21701 21702 21703 21704 21705 21710 21712",
    THROTTLE="20429 21611 14107 30001 63018",
    CARRIER="20500 20503",
    MESSAGE="21211 21214 21217 21265 21266 21604 21610 21612 21614 21617 21619 21635",
)


def of_twilio(status: int, code: int | None) -> Fault:
    """Return whose fault an answer of Twilio's is; `code` is the body's."""
    return of_http(TWILIO, status, code)
