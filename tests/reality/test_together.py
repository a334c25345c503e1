"""A clinic cancels or moves a day: whoever has several visits on it gets one message (decision 0050)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from tests.support.reality import Case, Post, Seen, answered

LATER = timedelta(hours=8)
FOUR = (0, 1, 2, 3)
WEEK = 7 * 24
TIMES = "{S%H:%M}, {S+1h%H:%M}, {S+2h%H:%M} and {S+3h%H:%M}"
ARE_BOOKED, HAVE_MOVED, ARE_CANCELLED = ("email", "are booked"), ("email", "have moved"), ("email", "are cancelled")
IS_BOOKED, HAS_MOVED, IS_CANCELLED = ("email", "is booked"), ("email", "has moved"), ("email", "is cancelled")


def event(turn: int, visit: int, hours: int, status: str, clinic: str, patient: str) -> dict[str, Any]:
    start, end = f"{{S+{hours}h}}", f"{{E+{hours}h}}"
    appointment = {
        "id": f"v{visit}-{{mark}}", "status": status, "patient": {"id": patient}, "clinic": clinic, "start": start,
        "end": end, "provider": {"id": "{provider}"}, "service_type": f"Care {visit}",
    }  # fmt: skip
    return {"event_id": f"e-{{mark}}-{turn}-{visit}", "appointment": appointment}


def day(
    turn: int, status: str = "booked", visits: Sequence[int] = FOUR, *, by: int = 0, clinic: str = "{clinic}",
    patient: str = "{patient}",
) -> Post:  # fmt: skip
    """Return the `turn`-th order: of the visits at these hours of the day, `by` hours later than they were booked."""
    events = [event(turn, visit, visit + by, status, clinic, patient) for visit in visits]
    return Post({"events": events}, warnings=None)


def orders(*posts: Post) -> Post:
    """Return several orders as one."""
    return Post({"events": [one for post in posts for one in post.body["events"]]}, warnings=None)


def sending(clinic: str = "{clinic}", **choices: Any) -> Post:
    """Return what a clinic chooses."""
    return Post(choices, path=f"/v1/clinics/{clinic}/sending", method="PUT", service="notifier", warnings=None)


def known(order: Post) -> list[Post]:
    """Return bookings whose confirmations leave at the same moment."""
    return [sending(mode="hold"), order, sending(mode="live")]


def patient(who: str = "{patient}", **fields: Any) -> Post:
    body = {
        "given_name": "Ada", "mobile": "{mobile}", "email": "{email}", "consent": True, "language": "en",
        "do_not_contact": False, **fields,
    }  # fmt: skip
    return Post(body, path=f"/v1/patients/{who}?source=local", method="PUT", warnings=None)


def clinic(code: str, **fields: Any) -> Post:
    body = {"name": f"Clinic {code}", "zone": "Europe/London", "languages": ["en"], "country": "GB", **fields}
    return Post(body, path=f"/v1/clinics/{code}", method="PUT", warnings=None)


def mail_is_refused(fault: str) -> Post:
    body = {"channel": "email", "fault": fault, "match": "{email}", "times": 1}
    return Post(body, path="/faults", service="sinks", status=201, warnings=None)


def desk(act: str, **how: Any) -> Post:
    """Return the order of the clinic's desk for the whole day."""
    body = {"clinic": "{clinic}", "day": "{S%Y-%m-%d}", "event_id": "d-{mark}", "reason": "ill", "by": "desk", **how}
    return Post(body, {"visits": 4}, None, path=f"/v1/appointments/{act}")


CASES = (
    Case(
        "a day of four, cancelled by its desk",
        [*known(day(1)), desk("cancel")],
        told=[ARE_BOOKED, ARE_CANCELLED],
        said=[([TIMES], []), ([TIMES], [])],
    ),
    Case(
        "a day of four, moved by its desk",
        [*known(day(1)), desk("move", to_day="{S+7d%Y-%m-%d}")],
        told=[ARE_BOOKED, HAVE_MOVED],
        said=[([TIMES], []), ([TIMES], [])],
    ),
    Case(
        "four of a day, cancelled by one order",
        [*known(day(1)), day(2, "cancelled")],
        told=[ARE_BOOKED, ARE_CANCELLED],
        said=[([TIMES], ["Care"]), ([TIMES, "METHOD:CANCEL"], ["Care"])],
    ),
    Case(
        "four of a day, cancelled one after the other",
        [*known(day(1)), *(day(2 + visit, "cancelled", [visit]) for visit in FOUR)],
        told=[ARE_BOOKED, ARE_CANCELLED],
        said=[([TIMES], []), ([TIMES], [])],
    ),
    Case(
        "four of a day, moved to one other day by one order",
        [*known(day(1)), day(2, by=WEEK)],
        told=[ARE_BOOKED, HAVE_MOVED],
        said=[([TIMES], []), (["{S+7d%-d %B}", TIMES], ["Care"])],
    ),
    Case(
        "ten of a day, moved by one order",
        [*known(day(1, visits=range(10))), day(2, visits=range(10), by=WEEK)],
        told=[ARE_BOOKED, HAVE_MOVED],
    ),
    Case(
        "one by itself is told as ever",
        [day(1, visits=[0]), day(2, visits=[0], by=WEEK), day(3, "cancelled", [0], by=WEEK)],
        told=[IS_BOOKED, HAS_MOVED, IS_CANCELLED],
    ),
    Case(
        "two cancelled and two moved",
        [*known(day(1)), orders(day(2, "cancelled", [0, 1]), day(2, visits=[2, 3], by=WEEK))],
        told=[ARE_BOOKED, HAVE_MOVED, ARE_CANCELLED],
        said=[([TIMES], []), (["{S+2h%H:%M} and {S+3h%H:%M}"], []), (["{S%H:%M} and {S+1h%H:%M}"], [])],
    ),
    Case(
        "two days are two messages",
        [*known(orders(day(1, visits=[0, 1]), day(1, visits=[24, 25]))), day(2, "cancelled", [0, 1, 24, 25])],
        told=[ARE_BOOKED, ARE_BOOKED, ARE_CANCELLED, ARE_CANCELLED],
    ),
    Case(
        "two clinics are two messages",
        [
            clinic("{clinic}B"),
            sending(mode="hold"),
            sending("{clinic}B", mode="hold"),
            orders(day(1, visits=[0, 1]), day(1, visits=[2, 3], clinic="{clinic}B")),
            sending(mode="live"),
            sending("{clinic}B", mode="live"),
            orders(day(2, "cancelled", [0, 1]), day(2, "cancelled", [2, 3], clinic="{clinic}B")),
        ],
        told=[ARE_BOOKED, ARE_BOOKED, ARE_CANCELLED, ARE_CANCELLED],
    ),
    Case(
        "two patients of one mobile are two messages",
        [
            patient(email=None),
            patient("{other}", given_name="Ben", email=None),
            *known(orders(day(1, visits=[0, 1]), day(1, visits=[2, 3], patient="{other}"))),
            orders(day(2, "cancelled", [0, 1]), day(2, "cancelled", [2, 3], patient="{other}")),
        ],
        told_at={"{mobile}": [("sms", "booked"), ("sms", "booked"), ("sms", "cancelled"), ("sms", "cancelled")]},
    ),
    Case(
        "one of four is booked again meanwhile",
        [*known(day(1)), day(2, "cancelled"), day(3, visits=[1])],
        told=[ARE_BOOKED, ARE_CANCELLED],
        said=[([TIMES], []), (["{S%H:%M}, {S+2h%H:%M} and {S+3h%H:%M}"], ["{S+1h%H:%M}"])],
    ),
    Case(
        "all of them are booked again meanwhile",
        [*known(day(1)), day(2, "cancelled"), day(3)],
        told=[ARE_BOOKED],
    ),
    Case(
        "one of four was never told of",
        [
            *known(day(1, visits=[0, 1, 2])),
            sending(mode="hold"),
            day(2, visits=[3]),
            day(3, "cancelled"),
            sending(mode="live"),
        ],
        told=[ARE_BOOKED, ARE_CANCELLED],
        said=[([], []), (["{S%H:%M}, {S+1h%H:%M} and {S+2h%H:%M}"], ["{S+3h%H:%M}"])],
    ),
    Case(
        "one of four is given to another patient: to whoever had it all four are off",
        [*known(day(1)), orders(day(2, "cancelled", [0, 1, 2]), day(2, visits=[3], patient="{other}"))],
        told=[ARE_BOOKED, ARE_CANCELLED],
        said=[([TIMES], []), ([TIMES], [])],
    ),
    Case(
        "the mail is refused for good: one SMS with the list",
        [*known(day(1)), mail_is_refused("550"), day(2, "cancelled")],
        told=[ARE_BOOKED, ("sms", "are cancelled")],
        said=[([TIMES], []), ([TIMES], [])],
    ),
    Case(
        "the mail is refused for now: one mail, later",
        [*known(day(1)), mail_is_refused("451"), day(2, "cancelled")],
        told=[ARE_BOOKED, ARE_CANCELLED],
        said=[([TIMES], []), ([TIMES], [])],
    ),
    Case(
        "at a closed hour they wait, and leave as one when it opens",
        [
            patient(email=None),
            sending(channel_windows={"sms": ["15:00", "20:00"]}),
            *(day(1, visits=[n]) for n in FOUR),
        ],
        told=[("sms", "are booked")],
        said=[([TIMES], ["Reply C"])],
    ),
    Case(
        "in the patient's language",
        [patient(language="de"), *known(day(1)), day(2, "cancelled")],
        told=[("email", "sind gebucht"), ("email", "sind abgesagt")],
        said=[([], []), (["{S%H:%M}, {S+1h%H:%M}, {S+2h%H:%M} und {S+3h%H:%M} Uhr"], [])],
    ),
    Case(
        "a sensitive clinic is not named",
        [clinic("{clinic}", sensitive=True), *known(day(1)), day(2, "cancelled")],
        told=[ARE_BOOKED, ARE_CANCELLED],
        said=[([TIMES], ["Clinic {clinic}", "Care"]), ([TIMES], ["Clinic {clinic}", "Care"])],
    ),
    Case(
        "opted out between the order and the message",
        [
            patient(email=None),
            *known(day(1)),
            day(2, "cancelled"),
            answered("STOP"),
        ],
        told=[("sms", "are booked")],
    ),
    Case(
        "a day that is cancelled, booked anew a minute later and cancelled again",
        [*known(day(1)), day(2, "cancelled"), day(3), day(4, "cancelled")],
        told=[ARE_BOOKED, ARE_CANCELLED],
    ),
)


def test_a_persons_news_of_a_day_is_one_message(seen: Seen) -> None:
    seen.judge()
