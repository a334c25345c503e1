"""Whose fault a refusal of Meta's is, by its own codes.

Source: "WhatsApp error codes" (developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes).
"""

from notifier.carriers.faults import by_code, of_http
from notifier.ledger.domain.faults import Fault

META = by_code(
    ACCOUNT="0 3 10 33 190 368 130403 131005 131031 131037 131042 131045 131057 133005 133006 133010",
    SENDER="130497 131047 132000 132001 132007 132012 132015 132016 132068 135000",
    THROTTLE="4 80007 130429 131048 133016",
    FOR_NOW="131056 132069",
    CARRIER="1 2 131000 131016 133004 133015",
    MESSAGE="100 130472 131008 131009 131021 131026 131049 131050 131051 131052 131053 132005",
)
"""131056 is of one patient's number alone. 200 to 299, permissions, are the account's, see `of_meta`."""


def of_meta(status: int, code: int | None) -> Fault:
    """Return whose fault an answer of Meta's is.

    Args:
        code: `error.code` of the body; None without one.
    """
    if code is not None and 200 <= code <= 299:
        return Fault.ACCOUNT
    return of_http(META, status, code)
