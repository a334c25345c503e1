"""Who wants no more messages gets none, however he says it and whoever he says it to."""

from datetime import timedelta

from tests.reality.test_three_values import FIRST
from tests.support.reality import Case, Post, Seen, answered

LATER = timedelta(hours=60)  # the visit is three days ahead: its first reminder is due within

BOOKED = ("email", "booked")
BY_SMS, BY_MAIL = ("sms", "appointment"), ("email", "Reminder")
INTRODUCED = ("sms", "Reply STOP")
REFUSED = Post(
    {"channel": "sms", "fault": "400", "carrier_code": 21610, "times": 1, "match": "{mobile}"},
    path="/faults",
    service="sinks",
    status=201,
    warnings=None,
)


def stops(*texts: str) -> tuple[Case, ...]:
    """Return a case for each text by which a patient stops what is sent to his number."""
    return tuple(Case(text, [FIRST, answered(text)], told=[BOOKED, BY_MAIL]) for text in texts)


def goes_on(*texts: str) -> tuple[Case, ...]:
    """Return a case for each text that stops nothing."""
    return tuple(Case(text, [FIRST, answered(text)], told=[BOOKED, BY_SMS]) for text in texts)


CASES = (
    *stops(
        "STOP",
        "STOP 7085",
        "STOP \U0001f6d1",
        "stop please",
        "Stop\n\nSent from my iPhone",
        "ARRET",
        "Bitte abmelden!",
        "\u0625\u064a\u0642\u0627\u0641",
        "parar",
        "Stop. I have moved to Leeds.",
        "STOP STOP STOP",
        "STOP no more messages",
        "Hello\nSTOP",
        "I want to unsubscribe",
        "ok, stop",
        "stop nicht mehr schreiben",
        "Stoppppp",
    ),
    *goes_on(
        "stop by at 5?",
        "don't stop",
        "See you then",
        "C 0000",
        "End of the week is better",
        "Acha nije kesho",
        "can you stop by at 9",
    ),
    Case("stop, and start again", [FIRST, answered("stop"), answered("START")], told=[BOOKED, BY_SMS]),
    Case("who is this", [FIRST, answered("HELP")], told=[BOOKED, INTRODUCED, BY_SMS]),
    Case("info, twice", [FIRST, answered("info"), answered("Help!")], told=[BOOKED, INTRODUCED, BY_SMS]),
    Case("the carrier knows of his stop, and we do not", [FIRST, REFUSED], told=[BOOKED, BY_MAIL]),
)


def test_he_gets_what_he_wants(seen: Seen) -> None:
    seen.judge()
