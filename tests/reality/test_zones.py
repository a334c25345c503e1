"""A time of a wall clock is the instant that the sender means, by whatever name he calls its zone."""

from tests.reality.test_three_values import event
from tests.support.reality import Case, Post, Seen

NINE = "2027-06-01T09:00:00"
"""A summer's morning: zones with summer time have it."""


def local(zone: str, utc: str) -> Case:
    """Return a visit at nine by the clocks of a zone, and the time in UTC that it is held at."""
    posted = Post(event(1, start=NINE, zone=zone), {"result": "applied"})
    return Case(zone, [posted], held={"starts_at": f"2027-06-01T{utc}:00Z"})


def no_zone(zone: str) -> Case:
    """Return a visit at nine by the clocks of no zone: without an instant it cannot be kept."""
    return Case(zone, [Post(event(1, start=NINE, zone=zone), {"code": "UNKNOWN_ZONE"}, status=422)])


def whole(name: str, body: bytes) -> Case:
    """Return a body as bytes, that is a booking all the same."""
    return Case(name, [Post(body, {"result": "applied"})], held={"status": "booked"})


BODY = (
    b'{"event_id": "e-{mark}", "appointment": {"id": "v-{mark}", "status": "booked", "clinic": "{clinic}",'
    b' "patient": {"id": "{patient}"}, "start": "{S}"}}'
)

CASES = (
    local("Europe/London", "08:00"),
    local("europe/london", "08:00"),
    local("GB", "08:00"),
    local("GMT", "09:00"),
    local("UTC", "09:00"),
    local("Etc/GMT+3", "12:00"),
    local("EST", "14:00"),
    local("US/Eastern", "13:00"),
    local("America/Buenos_Aires", "12:00"),
    local("Asia/Calcutta", "03:30"),
    local("Japan", "00:00"),
    local("GMT Standard Time", "08:00"),
    local("W. Europe Standard Time", "07:00"),
    local("w. europe standard time", "07:00"),
    local("Eastern Standard Time", "13:00"),
    local("India Standard Time", "03:30"),
    no_zone("Mars/Olympus"),
    no_zone("CEST"),
    no_zone("../../etc/passwd"),
    whole("a byte order mark before it", b"\xef\xbb\xbf" + BODY),
    whole("blanks around it", b"\r\n\t " + BODY + b"\n"),
)


def test_a_wall_clock_is_read_by_the_zone_that_is_meant(seen: Seen) -> None:
    seen.judge()
