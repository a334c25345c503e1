"""What both HTTP carriers share: the client, and what an answer or a break means.

| what happened | answer |
|---|---|
| 2xx with a message id | accepted |
| 2xx without one, or not readable | unknown |
| 3xx, 4xx, 500, 503 | rejected if it is the message's fault, else not accepted (`carriers/faults.py`); Retry-After |
| | is kept, in seconds or as a date by the carrier's own `Date` |
| 502, 504, other 5xx | unknown: something before the carrier gave up on its answer |
| no connection, or a request that cannot be written | not accepted: nothing has left |
| a break or silence after the request left | unknown |
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx2
import orjson

from notifier.carriers.connections import Spread
from notifier.ledger.domain.faults import Fault
from notifier.ledger.domain.notification import Accepted, CarrierResult, NotAccepted, Unsure, refused

SERVER_ERROR = 500
NO_SUCH_NUMBER = 33
"""Meta's subcode of 100, which alone would blame the message: our phone number id does not exist, or is not ours."""
LONGEST_REPLY = 64 * 1024
LONGEST_WAIT = timedelta(days=1)
KEEP_ALIVE_S = 4.0
"""Below the 5 s after which common servers close an idle connection: a request must not meet the closing."""

_NEVER_LEFT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,  # the request itself could not be written, for example with an empty credential
)


def new_client(base_url: str, timeout_s: float, connections: int) -> httpx2.AsyncClient:
    """Return a client for one carrier, for at most so many calls at once.

    Redirects are not followed, the environment's proxies not used. No cookie is kept: the client serves all accounts,
    and what one's answers set would go out with the requests of the others.
    """
    return httpx2.AsyncClient(
        base_url=base_url,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        timeout=httpx2.Timeout(timeout_s, connect=timeout_s / 3),
        transport=Spread(connections, KEEP_ALIVE_S),
        follow_redirects=False,
        trust_env=False,
    )


async def answer_to(
    client: httpx2.AsyncClient,
    request: httpx2.Request,
    reference: Callable[[Any], str],
    fault_of: Callable[[int, int | None], Fault],
) -> CarrierResult:
    """Make the request and return what its answer means.

    Args:
        reference: Takes the carrier's message id out of the answer's JSON; raises if it is not there.
        fault_of: Says whose fault a refusal is, by HTTP's status and the carrier's own code.
    """
    try:
        response = await client.send(request)
    except _NEVER_LEFT as error:
        return NotAccepted(type(error).__name__)
    except httpx2.HTTPError as error:
        return Unsure(type(error).__name__)
    if response.is_success:
        try:
            return Accepted(reference(orjson.loads(response.content[:LONGEST_REPLY])))
        except (orjson.JSONDecodeError, LookupError, TypeError, ValueError):
            return Unsure(f"HTTP_{response.status_code}_UNREADABLE")
    own = _own_code(response)
    code = f"HTTP_{response.status_code}" + ("" if own is None else f"_{own}")
    fault = fault_of(response.status_code, own)
    if fault is Fault.MESSAGE and response.status_code >= SERVER_ERROR:
        return Unsure(code)
    return refused(fault, code, _retry_after(response))


def text(value: object) -> str:
    """Return the value if it is a text, printable and not empty.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(value, str) or not value or not value.isprintable():
        raise TypeError("no text")
    return value


def _own_code(response: httpx2.Response) -> int | None:
    """Return the carrier's own number of a refusal, such as 21211; None if it gives none."""
    try:
        said = orjson.loads(response.content[:LONGEST_REPLY])
        if "error" not in said:
            code = said["code"]  # Twilio's shape
        elif said["error"].get("error_subcode") == NO_SUCH_NUMBER:
            code = NO_SUCH_NUMBER
        else:
            code = said["error"]["code"]  # Meta's shape
    except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError):
        return None
    return code if type(code) is int and 0 <= code < 10_000_000 else None


def _retry_after(response: httpx2.Response) -> timedelta | None:
    """Return the wait asked for, at most a day: in seconds, or until a date as the carrier's own clock counts it."""
    asked = response.headers.get("Retry-After", "")
    if asked.isascii() and asked.isdigit():
        return min(timedelta(seconds=int(asked[:9])), LONGEST_WAIT)
    until, its_now = _date(asked), _date(response.headers.get("Date", ""))
    if until is None or its_now is None or until <= its_now:
        return None
    return min(until - its_now, LONGEST_WAIT)


def _date(value: str) -> datetime | None:
    """Return the instant of an HTTP date, or None if it is none."""
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
