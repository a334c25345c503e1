"""The invariants, each a pure function from evidence to violations: an empty list is the proof."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

from schemas.wire import event_id, reminder_id, sub_file_id
from tests.chaos import calls, told
from tests.chaos.evidence import Evidence, Record

FINAL = frozenset({"accepted", "failed", "skipped"})
ARRIVAL = ("unknown", "undelivered", "delivered", "read")
"""What is known of an accepted message, weakest evidence first."""

WAITS = frozenset(
    {
        "UNKNOWN_PATIENT", "NO_CONTACT", "UNKNOWN_PROVIDER", "DECEASED", "DO_NOT_CONTACT", "NO_CONSENT", "OPTED_OUT",
        "CHANNELS_DISABLED",
    }
)  # fmt: skip
"""Why a message was skipped that leaves after all if that changes in time (D58)."""

OPENS_A_SUB_FILE = frozenset(
    {"booked", "arrived", "fulfilled", "cancelled", "noshow", "entered-in-error", "checked-in"}
)


def check(evidence: Evidence) -> list[str]:
    """Return every violation, each with the number of its invariant."""
    return [f"{name}: {line}" for name, invariant in INVARIANTS.items() for line in invariant(evidence)]


def i1_every_answered_change_took_effect(evidence: Evidence) -> Iterator[str]:
    """I1: a version answered with 2xx is on the topic."""
    published = {(r.key, r.value["version"]) for r in evidence.topics["appointments"]}
    for appointment, version in evidence.answered.items():
        if (appointment, version) not in published:
            yield f"answered but not published: {appointment} version {version}"


def i2_versions_rise_and_copies_are_equal(evidence: Evidence) -> Iterator[str]:
    """I2 and G2: versions of one appointment first appear as 1, 2, 3…; copies are identical, under the right id."""
    seen: dict[str, dict[int, bytes]] = defaultdict(dict)
    for record in evidence.topics["appointments"]:
        appointment, version = record.key, record.value["version"]
        copies = seen[appointment]
        if version in copies:
            if copies[version] != record.raw:
                yield f"copies differ: {appointment} version {version}"
            continue
        if version != len(copies) + 1:
            yield f"version {version} after {len(copies)}: {appointment}"
        if record.id != str(event_id(record.value["appointment_id"], version)):
            yield f"wrong event id: {appointment} version {version}"
        copies[version] = record.raw


def i3_every_consumer_reached_the_end(evidence: Evidence) -> Iterator[str]:
    """I3 and I15: nothing is left unread, and every record read was counted once, in the transaction of its effect."""
    for (consumer, topic, partition), (position, end) in evidence.positions.items():
        if position < end:
            yield f"{consumer} stands at {position} of {end}: {topic} {partition}"
    for (consumer, topic, partition), (counted, records) in evidence.counts.items():
        if counted != records:
            yield f"{consumer} counted {counted} of {records} records: {topic} {partition}"


def i4_one_sub_file_per_patient_and_clinic(evidence: Evidence) -> Iterator[str]:
    """I4: exactly one for each pair that was booked, and no other."""
    booked = {
        str(sub_file_id(r.value["patient_id"], r.value["clinic_id"], 1))
        for r in evidence.topics["appointments"]
        if r.value["status"] in OPENS_A_SUB_FILE
    }
    opened = {r.value["sub_file_id"] for r in evidence.topics["subfiles"]}
    yield from (f"sub-file missing: {missing}" for missing in booked - opened)
    yield from (f"sub-file of nobody booked: {extra}" for extra in opened - booked)
    numbers = Counter(number for r in _latest(evidence.topics["subfiles"]) if (number := r.value.get("number")))
    yield from (f"number given twice: {number}" for number, times in numbers.items() if times > 1)


def i5_one_reminder_per_schedule_and_rule(evidence: Evidence) -> Iterator[str]:
    """I5 and G7: every rule of every schedule is planned under its id, and ends in exactly one final outcome."""
    planned = {
        reminder["reminder_id"]
        for r in evidence.topics["reminders"]
        if r.type.startswith("reminders.planned")
        for reminder in r.value["reminders"]
    }
    wanted = {
        str(reminder_id(r.value["appointment_id"], r.value["schedule_gen"], rule["slug"]))
        for r in _latest(evidence.topics["appointments"])
        for rule in r.value["policy"]["rules"]
    }
    yield from (f"reminder never planned: {missing}" for missing in wanted - planned)
    due = {r.value["reminder_id"] for r in evidence.topics["reminders"] if r.type.startswith("reminder.due")}
    yield from (f"handed over but never planned: {extra}" for extra in due - planned)
    outcomes, told = _final_outcomes(evidence, "reminder_id"), _told_of(evidence)
    for reminder, said in _last_words(evidence).items():
        ends = outcomes.get(reminder, set()) | ({"cancelled"} if said == "cancelled" else set())
        if len(ends) > 1:
            yield f"reminder with two outcomes {sorted(ends)}: {reminder}"
        elif not ends and (said == "overdue" or (said == "due" and reminder not in told)):
            yield f"reminder without an outcome ({said}): {reminder}"


def i6_one_acceptance_per_notification(evidence: Evidence) -> Iterator[str]:
    """I6: the acceptance log and the ledger name the same messages; only unknown ones may be in one alone."""
    accepted = Counter(message["notification_id"] for message in evidence.accepted)
    yield from (f"accepted {times} times: {message}" for message, times in accepted.items() if times > 1)
    outcomes = {r.value["notification_id"]: r.value for r in _latest(evidence.topics["notifications"])}
    for message in accepted:
        if outcomes.get(message, {}).get("outcome") not in {"accepted", "unknown"}:
            yield f"in the carrier's log, not in the ledger: {message}"
    for message, value in outcomes.items():
        if value["outcome"] == "accepted" and value.get("channel") != "in-app" and message not in accepted:
            yield f"in the ledger, not in the carrier's log: {message}"


def i10_history_is_monotone(evidence: Evidence) -> Iterator[str]:
    """I10: versions rise by one, an acceptance stays, and evidence of arrival only grows (G6).

    An acceptance ends in two ways only: it was reported undelivered, or the message is accepted anew elsewhere.
    """
    told: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for record in evidence.topics["notifications"]:
        message, version = record.value["notification_id"], record.value["version"]
        if told[message].setdefault(version, record.value) != record.value:
            yield f"version {version} told in two ways: {message}"
    for message, versions in told.items():
        if sorted(versions) != list(range(1, len(versions) + 1)):
            yield f"versions {sorted(versions)}: {message}"
        for before, after in pairwise(versions[version] for version in sorted(versions)):
            if before["outcome"] in FINAL and after["outcome"] not in _may_follow(before):
                yield f"{before['outcome']} became {after['outcome']}: {message}"
            if ARRIVAL.index(_arrival(after)) < ARRIVAL.index(_arrival(before)):
                yield f"{_arrival(before)} became {_arrival(after)}: {message}"


def _arrival(told: dict[str, Any]) -> str:
    return str(told.get("delivery_state", "unknown"))


def _may_follow(told: dict[str, Any]) -> set[str]:
    """Return the outcomes that may follow: a receipt can show that a message has arrived after all."""
    undelivered = told["outcome"] == "accepted" and _arrival(told) == "undelivered"
    return {"accepted", told["outcome"], *({"failed", "skipped", "unknown"} if undelivered else ())}


INVARIANTS: dict[str, Callable[[Evidence], Iterable[str]]] = {
    "I1": i1_every_answered_change_took_effect,
    "I2": i2_versions_rise_and_copies_are_equal,
    "I3": i3_every_consumer_reached_the_end,
    "I4": i4_one_sub_file_per_patient_and_clinic,
    "I5": i5_one_reminder_per_schedule_and_rule,
    "I6": i6_one_acceptance_per_notification,
    "I7": calls.i7_no_call_is_gated_at_or_after_the_cancellation,
    "I8": calls.i8_no_call_is_late_outside_its_hours_or_unwanted,
    "I9": calls.i9_no_call_follows_an_unknown_one,
    "I10": i10_history_is_monotone,
    "I11": calls.i11_dead_letters_are_complete,
    "I16": told.i16_what_was_told_last_is_so_or_a_row_says_why_it_was_not,
}


def _latest(records: Iterable[Record]) -> list[Record]:
    """Return the highest version of each entity, by the event's own key fields."""
    latest: dict[Any, Record] = {}
    for record in records:
        entity = record.value.get("notification_id") or record.value.get("sub_file_id") or record.key
        if entity not in latest or latest[entity].value["version"] < record.value["version"]:
            latest[entity] = record
    return list(latest.values())


def _last_words(evidence: Evidence) -> dict[str, str]:
    """Return reminder → what the worker said of it last: planned, overdue (when its time is over), cancelled or due.

    What was handed over stays so in later plans, and what a later plan leaves out is cancelled by it; a cancellation
    lists only what was still to come.
    """
    said: dict[str, str] = {}
    plans: dict[str, dict[str, str]] = {}
    for record in evidence.topics["reminders"]:
        if record.type.startswith("reminder.due"):
            said[record.value["reminder_id"]] = "due"
        elif record.type.startswith("reminders.cancelled"):
            said |= {one["reminder_id"]: "cancelled" for one in record.value["reminders"]}
        elif record.type.startswith("reminders.planned"):
            plan = {one["reminder_id"]: _planned(one, evidence.now) for one in record.value["reminders"]}
            told = dict.fromkeys(plans.get(record.key, {}), "cancelled") | plan
            said |= {reminder: word for reminder, word in told.items() if said.get(reminder) != "due"}
            plans[record.key] = plan
    return said


def _planned(one: dict[str, Any], now: datetime | None) -> str:
    if one.get("status") == "CANCELLED":
        return "cancelled"
    over = now is not None and "not_after" in one and datetime.fromisoformat(one["not_after"]) < now
    return "overdue" if over else "planned"


def _told_of(evidence: Evidence) -> set[str]:
    """Return the reminders of which the notifier says anything at all: what is unknown stays unknown (G5)."""
    return {r.value["reminder_id"] for r in evidence.topics["notifications"] if r.value.get("reminder_id")}


def _final_outcomes(evidence: Evidence, field: str) -> dict[str, set[str]]:
    """Return the outcomes of each; one that was skipped for want of somebody has the one it got when he came (D58)."""
    outcomes: dict[str, set[str]] = defaultdict(set)
    for record in evidence.topics["notifications"]:
        if record.value.get(field) and record.value["outcome"] in FINAL:
            outcomes[record.value[field]].add(record.value["outcome"])
    waited = {
        r.value[field]
        for r in evidence.topics["notifications"]
        if r.value.get(field) and r.value.get("reason") in WAITS
    }
    return {one: said - {"skipped"} if one in waited and len(said) > 1 else said for one, said in outcomes.items()}
