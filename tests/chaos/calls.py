"""What the calls to carriers must show: each a pure function from evidence to violations.

Written without the notifier's own rules: what they forget, these must not forget too.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, time
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from tests.chaos.evidence import Call, Evidence, Record

STATUS_OF = {"cancelled": "cancelled", "no-show": "noshow"}
"""Kinds that are about another status of the visit than booked."""

REMINDING = frozenset({"reminder", "today", "no-show", "clearance-missing"})
"""Kinds that an opt-out from reminders is about; the rest are notices. Their mail keeps the hours too."""

MAY_FOLLOW = frozenset({"rejected", "not-accepted", "not-started"})
"""Outcomes of a call after which another may be made: the carrier certainly has not got the message."""


def i7_no_call_is_gated_at_or_after_the_cancellation(evidence: Evidence) -> Iterator[str]:
    """I7: at the version that its gate saw, the visit had the status that the message speaks of."""
    published = _by_version(evidence)
    for call in evidence.calls:
        visit = published.get((call.appointment_id, call.gated_version))
        if visit is None:
            yield f"gated at version {call.gated_version}, which nobody published: {call.attempt_id}"
        elif visit["status"] != STATUS_OF.get(call.kind, "booked"):
            yield f"{call.kind} gated when the visit was {visit['status']}: {call.attempt_id}"
        elif call.kind == "reminder" and visit["schedule_gen"] != call.schedule_gen:
            yield f"reminder of schedule {call.schedule_gen} gated in {visit['schedule_gen']}: {call.attempt_id}"


def i8_no_call_is_late_outside_its_hours_or_unwanted(evidence: Evidence) -> Iterator[str]:
    """I8: no call is authorised after its deadline, outside the clinic's hours, or after an opt-out."""
    published = _by_version(evidence)
    for call in evidence.calls:
        if call.not_after is not None and call.called_at > call.not_after:
            yield f"called after its deadline: {call.attempt_id}"
        visit = published.get((call.appointment_id, call.gated_version))
        if visit and not (call.channel == "email" and call.kind not in REMINDING) and not _open(visit, call.called_at):
            yield f"called outside the hours: {call.attempt_id}"
        category = "reminders" if call.kind in REMINDING else "notices"
        since = evidence.opted_out.get((call.channel, call.address_key, category))
        if since is not None and call.called_at > since:
            yield f"called after the opt-out: {call.attempt_id}"


def i9_no_call_follows_an_unknown_one(evidence: Evidence) -> Iterator[str]:
    """I9: the machine calls again only when the carrier certainly has not got it, or has reported it undelivered."""
    made: dict[str, list[Call]] = defaultdict(list)
    for call in evidence.calls:
        made[call.notification_id].append(call)
    for calls in made.values():
        for before, after in pairwise(sorted(calls, key=lambda call: call.ordinal)):
            if before.outcome in MAY_FOLLOW or before.delivery_state == "undelivered":
                continue
            preferred = before.outcome == "unknown" and before.clinic_id in evidence.doubles_preferred
            if not (preferred and before.channel != after.channel):
                yield f"called again after {before.outcome or 'no answer'}: {before.attempt_id}, {after.attempt_id}"


def i11_dead_letters_are_complete(evidence: Evidence) -> Iterator[str]:
    """I11: every planted poison record is in the letters of each consumer that passed it, whole, and no other is."""
    letters = {(letter.consumer, letter.topic, letter.partition, letter.offset): letter for letter in evidence.letters}
    for (topic, partition, offset), raw in evidence.poison.items():
        for (consumer, read, part), (position, _) in evidence.positions.items():
            if (read, part) != (topic, partition) or position <= offset:
                continue
            letter = letters.pop((consumer, topic, partition, offset), None)
            if letter is None:
                yield f"{consumer} passed poison without a letter: {topic} {partition} {offset}"
            elif letter.value != raw or not letter.code:
                yield f"letter without its bytes or reason: {consumer} {topic} {partition} {offset}"
    yield from (f"dead letter of a sound record ({letter.code}): {place}" for place, letter in letters.items())


def _by_version(evidence: Evidence) -> dict[tuple[str, int], dict[str, Any]]:
    records: list[Record] = evidence.topics["appointments"]
    return {(record.key, record.value["version"]): record.value for record in records}


def _open(visit: dict[str, Any], at: datetime) -> bool:
    """Say whether the clinic's hours are open; a visit without hours leaves them open."""
    if "window" not in visit["policy"]:
        return True
    opens, closes = (time.fromisoformat(visit["policy"]["window"][edge]) for edge in ("opens", "closes"))
    return opens <= at.astimezone(ZoneInfo(visit["zone"])).time() < closes
