"""What people were told, against what is so in the end: a pure function from evidence to violations.

Written without the notifier's own rules: what they forget, this must not forget too.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from tests.chaos.evidence import Evidence, Message

STANDS = {"patient": {"confirmation", "moved"}, "provider": {"provider-booked", "provider-moved"}}
ENDS = {"patient": {"cancelled"}, "provider": {"provider-cancelled"}}
TELLING = {"reminder", "today"}
"""Kinds that say, besides those, that a visit stands."""

NOT_STANDING = frozenset({"proposed", "pending", "waitlist", "cancelled", "entered-in-error"})

KNOWS_IT = frozenset({"ALREADY_TOLD", "SUPERSEDED", "APPOINTMENT_CANCELLED", "NOT_SENDABLE", "RESCHEDULED", "BACKFILL"})
"""Reasons that say that there was nothing to say: they excuse nothing."""


def i16_what_was_told_last_is_so_or_a_row_says_why_it_was_not(evidence: Evidence) -> Iterator[str]:
    """I16: the last message that a person got about a visit agrees with the visit, or the ledger says why not.

    A person is each patient and provider whose visit it is, and each who was told of it.
    """
    merged, about = _merged(evidence), _about(evidence)
    for appointment, visit in _visits(evidence).items():
        for recipient in ("patient", "provider"):
            owner = visit.get(f"{recipient}_id")
            to: dict[str | None, list[Message]] = defaultdict(list)
            for one in about[appointment, recipient]:
                to[merged.get(one.recipient_id or "", one.recipient_id or owner)].append(one)
            for who in {owner, *to} - {None}:
                if why := _disagrees(visit if who == owner else None, visit["status"], to[who], appointment, recipient):
                    yield f"{why}: {recipient} {who} of {appointment}"


def _disagrees(
    visit: Mapping[str, Any] | None, status: str, his: list[Message], appointment: str, recipient: str
) -> str | None:
    """Return in what the last that he was told differs from what is so, or None.

    Args:
        visit: None: it is somebody else's.
    """
    told = [one for one in his if one.tells(appointment, STANDS[recipient] | TELLING | ENDS[recipient])]
    last = max(told, key=lambda one: (one.said_at, one.notification_id), default=None)
    stood = last is not None and last.kind not in ENDS[recipient] and last.replaces != appointment
    if visit is None or status in NOT_STANDING:
        excused = not stood or _says_why(his, ENDS[recipient], last)
        return None if excused else "told that it stands, and it does not"
    if status != "booked":
        return None
    if last is not None and stood and _same_place(last, visit):
        return None
    return None if _says_why(his, STANDS[recipient], last) else f"{'told otherwise' if last else 'not told'} of a visit"


def _same_place(last: Message, visit: Mapping[str, Any]) -> bool:
    start = visit.get("starts_at")
    return last.clinic_id in {None, visit["clinic_id"]} and (
        last.said_starts_at is None or start is None or last.said_starts_at.isoformat() == _utc(start)
    )


def _utc(instant: str) -> str:
    return instant.replace("Z", "+00:00")


def _says_why(his: list[Message], kinds: set[str], last: Message | None) -> bool:
    """Say whether a message that was to tell him waits, or ended untold with a reason, since he was told last."""
    since = [one for one in his if one.kind in kinds and (last is None or one.changed_at >= last.said_at)]
    return any(
        one.state in {"queued", "sending"}
        or (one.state in {"skipped", "failed"} and one.reason is not None and one.reason not in KNOWS_IT)
        for one in since
    )


def _about(evidence: Evidence) -> dict[tuple[str, str], list[Message]]:
    """Return the messages about each visit, and those about another in whose place it was, by recipient."""
    found: dict[tuple[str, str], list[Message]] = defaultdict(list)
    for one in evidence.messages:
        for appointment in {one.appointment_id, one.replaces} - {None}:
            found[str(appointment), one.recipient].append(one)
    return found


def _visits(evidence: Evidence) -> dict[str, dict[str, Any]]:
    """Return the newest version of each appointment."""
    newest: dict[str, dict[str, Any]] = {}
    for record in evidence.topics["appointments"]:
        if record.key not in newest or newest[record.key]["version"] < record.value["version"]:
            newest[record.key] = record.value
    return newest


def _merged(evidence: Evidence) -> dict[str, str]:
    """Return patients who were merged away → into whom, in the end."""
    into = {
        r.key: str(r.value["merged_into"]) for r in evidence.topics.get("patients", ()) if r.value.get("merged_into")
    }
    kept = dict(into)
    for patient in into:
        while (further := into.get(kept[patient])) is not None:
            kept[patient] = further
    return kept
