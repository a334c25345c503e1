"""Whose fault a carrier's refusal is: one table for each carrier, by its own codes.

Sources. Meta: "WhatsApp error codes" (developers.facebook.com/documentation/business-messaging/whatsapp/support/
error-codes). Twilio: its error dictionary (twilio.com/docs/api/errors). SMTP: RFC 5321 4.2, RFC 4954 4 and 6 for
AUTH (454, 530, 534, 535, 538), RFC 3463 and IANA's registry of enhanced status codes for 5.7.x; Exchange Online's own
5.7.57 to 5.7.7xx ("Email non-delivery reports in Exchange Online"); Gmail's 5.4.5 and SES's 454, both quotas.
A code that no table has is the message's if it is a 4xx of HTTP or a 5xx of SMTP about the message.
"""

import re
from collections.abc import Mapping
from enum import StrEnum

from notifier.ledger.domain.faults import Fault


class Phase(StrEnum):
    """How far an SMTP conversation had come when it was refused."""

    LOGIN = "login"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"


def by_code(**codes: str) -> Mapping[int, Fault]:
    """Return a table from its faults, each with its codes in one string.

    Raises:
        ValueError: A code stands for two faults.
    """
    listed = [(int(code), Fault[name]) for name, of in codes.items() for code in of.split()]
    table = dict(listed)
    if len(table) != len(listed):
        raise ValueError("a code stands for two faults")
    return table


META = by_code(
    ACCOUNT="0 3 10 33 190 368 130403 131005 131031 131037 131042 131045 131057 133005 133006 133010",
    SENDER="130497 131047 132000 132001 132007 132012 132015 132016 132068 135000",
    THROTTLE="4 80007 130429 131048 133016",
    FOR_NOW="131056 132069",
    CARRIER="1 2 131000 131016 133004 133015",
    MESSAGE="100 130472 131008 131009 131021 131026 131049 131050 131051 131052 131053 132005",
)
"""131056 is of one patient's number alone. 200 to 299, permissions, are the account's, see `of_meta`."""

TWILIO = by_code(
    ACCOUNT="10001 20002 20003 20005 20006 20008 20010 20101 20104 20403 30002",
    SENDER="21212 21408 21603 21606 21608 21659 21660 21661 21701 21702 21703 21704 21705 21710 21712",
    THROTTLE="20429 21611 14107 30001 63018",
    CARRIER="20500 20503",
    MESSAGE="21211 21214 21217 21265 21266 21604 21610 21612 21614 21617 21619 21635",
)

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


def of_meta(status: int, code: int | None) -> Fault:
    """Return whose fault an answer of Meta's is.

    Args:
        status: HTTP's.
        code: `error.code` of the body; None without one.
    """
    if code is not None and 200 <= code <= 299:
        return Fault.ACCOUNT
    return _of_http(META, status, code)


def of_twilio(status: int, code: int | None) -> Fault:
    """Return whose fault an answer of Twilio's is; `code` is the body's."""
    return _of_http(TWILIO, status, code)


def _of_http(table: Mapping[int, Fault], status: int, code: int | None) -> Fault:
    if code is not None and code in table:
        return table[code]
    return Fault.CARRIER if 300 <= status <= 399 else _HTTP.get(status, Fault.MESSAGE)


ENHANCED = re.compile(r"[245]\.(\d{1,3})\.(\d{1,3})\b")
_LOGIN_CODES = frozenset({454, 530, 534, 535, 538})
_OUR_LOGIN = frozenset({0, 3, 8, 9, 10, 11, 12, 13, 57, 64, 501, 502, 503, 504, 505, 506, 507, 508, 511, 606, 705, 708})
"""x of 5.7.x: authentication, encryption, an account disabled or banned."""
_OUR_SENDER = frozenset({20, 21, 22, 23, 24, 25, 26, 27, 60, 68, 509, 515})
"""x of 5.7.x: DKIM, SPF and DMARC of our domain, or an address that this login may not send as."""
_QUOTAS = frozenset({(4, 5), (7, 28), (7, 233), (7, 236)})
_RELAY = re.compile(r"\brelay(ing)?\b", re.IGNORECASE)


def of_smtp(phase: Phase, code: int, said: str) -> Fault:
    """Return whose fault a mail server's refusal is.

    Args:
        phase: Before MAIL nothing was said of the message, so it cannot be its fault.
        code: Of the reply, 400 to 599.
        said: The reply's text, of which the enhanced status code is read, and whether it is about relaying.
    """
    enhanced = ENHANCED.search(said)
    detail = (int(enhanced[1]), int(enhanced[2])) if enhanced else None
    is_for_now = code < 500
    if detail in _QUOTAS or (code == 454 and phase is not Phase.LOGIN):
        return Fault.THROTTLE
    if code == 421:
        return Fault.CARRIER
    if code in _LOGIN_CODES or phase is Phase.LOGIN:
        return Fault.CARRIER if is_for_now and code not in _LOGIN_CODES else Fault.ACCOUNT
    if is_for_now:
        return Fault.FOR_NOW
    if detail and detail[0] == 7 and phase is not Phase.DATA and _RELAY.search(said):
        return Fault.ACCOUNT
    if detail and detail[0] == 7 and detail[1] in _OUR_LOGIN:
        return Fault.ACCOUNT
    if phase is Phase.MAIL or (detail and detail[0] == 7 and detail[1] in _OUR_SENDER):
        return Fault.SENDER
    return Fault.MESSAGE
