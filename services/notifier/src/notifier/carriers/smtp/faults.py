"""Whose fault a mail server's refusal is.

Sources: RFC 5321 4.2, RFC 4954 4 and 6 for AUTH (454, 530, 534, 535, 538), RFC 3463 and IANA's registry of enhanced
status codes for 5.7.x; Exchange Online's own 5.7.57 to 5.7.7xx ("Email non-delivery reports in Exchange Online");
Gmail's 5.4.5 and SES's 454, both quotas. A 5xx about the message that is not among them is the message's.
"""

import re
from enum import StrEnum

from notifier.ledger.domain.faults import Fault

ENHANCED = re.compile(r"[245]\.(\d{1,3})\.(\d{1,3})\b")
_LOGIN_CODES = frozenset({454, 530, 534, 535, 538})
_OUR_LOGIN = frozenset({0, 3, 8, 9, 10, 11, 12, 13, 57, 64, 501, 502, 503, 504, 505, 506, 507, 508, 511, 606, 705, 708})
"""x of 5.7.x: authentication, encryption, an account disabled or banned."""
_OUR_SENDER = frozenset({20, 21, 22, 23, 24, 25, 26, 27, 60, 68, 509, 515})
"""x of 5.7.x: DKIM, SPF and DMARC of our domain, or an address that this login may not send as."""
_QUOTAS = frozenset({(4, 5), (7, 28), (7, 233), (7, 236)})
_RELAY = re.compile(r"\brelay(ing)?\b", re.IGNORECASE)


class Phase(StrEnum):
    """How far an SMTP conversation had come when it was refused."""

    LOGIN = "login"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"


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
