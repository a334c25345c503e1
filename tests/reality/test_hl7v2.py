"""Scheduling messages of HL7 v2 as hospitals send them: what follows for the visit and for its patient (0059)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from tests.support.reality import Case, Post, Seen

LATER = timedelta(minutes=10)  # a cancellation waits two minutes for a booking; what was held back asks again in five
HL7 = "application/hl7-v2"
FILLER = "filler|F-{mark}"
PATIENT = "PID|1||{patient}"
PLACE = "AIL|1|A|^^^{clinic}"
STAMP = "%Y%m%d%H%M%S%z"

CONFIRMED, HAS_MOVED, IS_CANCELLED = (("email", word) for word in ("is booked", "has moved", "is cancelled"))
DISAGREES, HELD = ("WORD_DISAGREES", "SCH-25"), ("HELD_BACK", "SCH-25")


def sent(
    trigger: str,
    word: str = "Booked",
    number: int = 1,
    result: str = "applied",
    start: str = "S",
    ids: str = "P-{mark}|F-{mark}",
    pid: str | None = PATIENT,
    place: str | None = PLACE,
    after: Sequence[str] = (),
    warnings: Sequence[tuple[str, str]] | None = (),
    stamp: str = STAMP,
    **answer: Any,
) -> Post:
    """Return the post of a message, which is sent as many minutes ago as ten less its number."""
    at = f"{{NOW-{10 - number}m{STAMP}}}"
    begins = f"{{{start}{stamp}}}" if start else ""
    lines = [
        rf"MSH|^~\&|RIS|EYE|ATTEND||{at}||SIU^{trigger}|m-{{mark}}-{number}|P|2.5.1",
        f"SCH|{ids}|||||CHECK^Check-up||30|min|^^^{begins}||||||||||||||{word}",
        *(line for line in (pid, place) if line),
        *after,
    ]
    return Post("\r".join(lines).encode(), {"result": result}, warnings, content_type=HL7, **answer)


def refused(code: str, place: str, **given: Any) -> Post:
    """Return the post of a message that is refused at a place."""
    post = sent("S12", **given)
    return Post(post.body, {"code": code, "errors.0.place": place}, None, 422, content_type=HL7)


BOOK = sent("S12")
MOVED = "S+1d"
DOUBTFUL = sent("S13", "Cancelled", 2, start=MOVED, warnings=[DISAGREES, HELD])
DOCTOR = "AIP|1|{action}|d-{mark}^Jones^Ann"


def case(name: str, *posts: Post, told: Sequence[tuple[str, str]], **held: Any) -> Case:
    return Case(name, posts, held=held, told=told, visit=FILLER)


CASES = (
    case("a booking", BOOK, told=[CONFIRMED], status="booked", service_type="Check-up"),
    case("its answer was lost, and it comes again", BOOK, sent("S12", result="repeat"), told=[CONFIRMED], version=1),
    case("S12 again in another message", BOOK, sent("S12", number=2, result="repeat"), told=[CONFIRMED], version=1),
    case("moved", BOOK, sent("S13", number=2, start=MOVED), told=[CONFIRMED, HAS_MOVED], status="booked", version=2),
    case(
        "moved by a message with the number of the booking",
        BOOK, Post(sent("S13", number=2, start=MOVED).body.replace(b"m-{mark}-2", b"m-{mark}-1"), {"result": "applied"},
                   content_type=HL7),
        told=[CONFIRMED, HAS_MOVED], version=2,
    ),
    case("cancelled", BOOK, sent("S15", "Cancelled", 2), told=[CONFIRMED, IS_CANCELLED], status="cancelled"),
    case(
        "cancelled, and the word is still Booked",
        BOOK, sent("S15", "Booked", 2, warnings=[DISAGREES]), told=[CONFIRMED, IS_CANCELLED], status="cancelled",
    ),
    case(
        "cancelled by its number alone",
        BOOK, sent("S15", "", 2, start="", pid=None, place=None), told=[CONFIRMED, IS_CANCELLED], status="cancelled",
    ),
    case(
        "changed without a word, after it was cancelled",
        BOOK, sent("S15", "Cancelled", 2), sent("S14", "", 3, "repeat"), told=[CONFIRMED, IS_CANCELLED],
        status="cancelled",
    ),
    case(
        "changed with Booked, after it was cancelled",
        BOOK, sent("S15", "Cancelled", 2), sent("S14", "Booked", 3, "repeat"), told=[CONFIRMED, IS_CANCELLED],
        status="cancelled",
    ),
    case(
        "a cancellation of a visit that nobody knows, and its older booking",
        sent("S15", "Cancelled", 2, "tombstone"), sent("S12", result="stale", warnings=None), told=[],
    ),
    case("arrived", BOOK, sent("S14", "Arrived", 2), told=[CONFIRMED], status="arrived"),
    case("nobody came, says a clock", BOOK, sent("S26", "", 2), told=[CONFIRMED], status="noshow"),
    case("nobody came, says Confirmed", BOOK, sent("S26", "Confirmed", 2), told=[CONFIRMED], status="noshow"),
    case(
        "moved, says the event, and cancelled, says the word",
        BOOK, DOUBTFUL, told=[CONFIRMED], status="booked",
    ),
    case(
        "moved and cancelled at once, and then booked",
        BOOK, DOUBTFUL, sent("S14", "Booked", 3, "repeat", MOVED),
        told=[CONFIRMED, HAS_MOVED], status="booked", version=2,
    ),
    case(
        "moved and cancelled at once, and then cancelled",
        BOOK, DOUBTFUL, sent("S15", "Cancelled", 3, start=MOVED),
        told=[CONFIRMED, IS_CANCELLED], status="cancelled",
    ),
    case(
        "moved under another filler's number",
        BOOK, sent("S13", number=2, start=MOVED, ids="P-{mark}|G-{mark}"), told=[CONFIRMED, HAS_MOVED],
        status="booked", version=2,
    ),
    case("an error", BOOK, sent("S17", "Deleted", 2), told=[CONFIRMED, IS_CANCELLED], status="entered-in-error"),
    case("a wish", sent("S12", "Pending"), told=[], status="pending"),
    case(
        "his mobile is taken away", BOOK, sent("S14", number=2, result="repeat", pid=f'{PATIENT}||||||||||""^MOBILE'),
        told=[CONFIRMED], version=1,
    ),
    case(
        "the doctor is taken away by his group",
        sent("S12", after=[DOCTOR.replace("{action}", "A")], warnings=None),
        sent("S20", "", 2, after=["RGS|2|D", DOCTOR.replace("{action}", "")], warnings=None),
        told=[CONFIRMED], provider_id=None,
    ),
    case(
        "two patients",
        refused("SEVERAL_PATIENTS", "PID", pid=f"{PATIENT}\rPID|2||{{other}}"), BOOK, told=[CONFIRMED], version=1,
    ),
    case("a time without a zone", refused("NAIVE_TIME", "SCH-11.4", stamp="%Y%m%d%H%M"), told=[]),
)  # fmt: skip


def test_what_a_hospital_says_follows_for_the_patient(seen: Seen) -> None:
    seen.judge()
