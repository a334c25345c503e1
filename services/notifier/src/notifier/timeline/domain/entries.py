"""Why: everything that was decided about one appointment, from every part, in the order of time (B1).

Facts come as the parts tell them; each becomes one or more entries with a stable word (`what`), a sentence
for people, the reason and the cause. Nothing here asks anybody: see `timeline.handle`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from notifier.ledger.domain.plain_english import reason_words

BOOKING, RECORDS, REMINDERS, NOTIFIER, CARRIER, PATIENT, STAFF = (
    "booking",
    "records",
    "reminders",
    "notifier",
    "carrier",
    "patient",
    "staff",
)
_RANK = {source: rank for rank, source in enumerate((BOOKING, RECORDS, REMINDERS, NOTIFIER, CARRIER, PATIENT, STAFF))}


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened.

    Attributes:
        what: A stable word, `<thing>.<what became of it>`.
        text: A sentence for people, with times of the clinic's wall.
        reason: A code of `schemas.reminders.Reason`, a carrier's code, or an upstream's words.
    """

    at: datetime
    source: str
    what: str
    text: str
    reason: str | None = None
    caused_by: str | None = None
    ids: Mapping[str, str] = field(default_factory=dict)
    nth: int = 0


@dataclass(frozen=True, slots=True)
class VersionFact:
    """One version of the appointment, as booking published it."""

    version: int
    status: str
    confirmed: bool
    mode: str
    clinic_id: str
    provider_id: str | None
    starts_at: datetime | None
    schedule_gen: int
    policy_id: str
    at: datetime
    source: str
    caused_by: str | None
    reason: str | None
    patient_id: str | None = None
    barred: str | None = None


@dataclass(frozen=True, slots=True)
class ClearanceFact:
    """What was said of a visit's clearance, and changed it. `version` counts the changes of the visit's clearances."""

    kind: str
    form: str | None
    state: str
    version: int
    at: datetime
    client: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Lacking:
    """What the visit lacks before its check-in, by booking: MISSING, PENDING, REFUSED, EXPIRED, WITHDRAWN, OLD_FORM."""

    kind: str
    form: str | None
    code: str
    title: str


@dataclass(frozen=True, slots=True)
class SubFileFact:
    """The patient's file at the clinic. `own`: this visit opened it."""

    sub_file_id: str
    status: str
    number: str | None
    created_at: datetime
    own: bool


@dataclass(frozen=True, slots=True)
class ReminderStage:
    """What a reminder was from an instant on."""

    at: datetime
    status: str
    reason: str | None
    handed_over: bool
    notification_id: str | None
    delivery_state: str | None
    caused_by: str


@dataclass(frozen=True, slots=True)
class ReminderFact:
    """A reminder with its history, oldest first, at least one stage. `not_after`: when it would come too late."""

    reminder_id: str
    rule: str
    schedule_gen: int
    due: datetime | None
    stages: tuple[ReminderStage, ...]
    not_after: datetime | None = None


def wall(at: datetime, zone: ZoneInfo) -> str:
    """Return an instant as the clinic's wall shows it."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def merge(groups: Iterable[Iterable[Entry]]) -> list[Entry]:
    """Return all entries in the order of time; of one instant, cause before effect."""
    entries = [entry for group in groups for entry in group]
    return sorted(entries, key=lambda entry: (entry.at, _RANK.get(entry.source, len(_RANK)), entry.nth))


def of_versions(history: Sequence[VersionFact], zone: ZoneInfo) -> list[Entry]:
    """Return an entry for each version, worded by what it changed."""
    told: list[Entry] = []
    before: VersionFact | None = None
    for one in history:
        what, text = _change(before, one, zone)
        said = f"{text}; {one.source} says: {one.reason}" if one.reason else text
        ids = {"version": str(one.version), "schedule_gen": str(one.schedule_gen)}
        told.append(Entry(one.at, BOOKING, what, said, one.reason, one.caused_by, ids, one.version))
        before = one
    return told


def of_clearances(words: Iterable[ClearanceFact]) -> list[Entry]:
    """Return an entry for each change of what clears the visit."""
    return [
        Entry(
            one.at,
            BOOKING,
            f"clearance.{one.state}",
            f"clearance {one.kind}{f' ({one.form})' if one.form else ''} is {one.state}, by {one.client}",
            one.reason,
            ids={"clearance_version": str(one.version)},
            nth=one.version,
        )
        for one in words
    ]


def _change(before: VersionFact | None, after: VersionFact, zone: ZoneInfo) -> tuple[str, str]:
    when = f" for {wall(after.starts_at, zone)}" if after.starts_at else ""
    if before is None:
        imported = ", imported as history" if after.mode == "backfill" else ""
        return f"visit.{after.status}", f"entered as {after.status}{when} at {after.clinic_id}{imported}"
    if before.status != after.status:
        if after.status == "booked":
            return "visit.booked", f"booked{when}; it was {before.status}"
        return f"visit.{after.status}", f"{after.status}; it was {before.status}"
    if (before.starts_at, before.clinic_id) != (after.starts_at, after.clinic_id):
        was = f" from {wall(before.starts_at, zone)}" if before.starts_at else ""
        to = f" to {wall(after.starts_at, zone)}" if after.starts_at else ""
        clinic = f", now at {after.clinic_id}" if before.clinic_id != after.clinic_id else ""
        return "visit.moved", f"moved{was}{to}{clinic}"
    if before.patient_id != after.patient_id:
        return "visit.patient-changed", "given to another file: the patient's files were merged, or he was corrected"
    if before.confirmed != after.confirmed:
        return "visit.confirmed", "confirmed" if after.confirmed else "no longer confirmed"
    if before.provider_id != after.provider_id:
        return "visit.provider-changed", "given to another provider" if after.provider_id else "left without a provider"
    if before.barred != after.barred:
        if after.barred is None:
            return "visit.unbarred", "messages may go to the patient again"
        return "visit.barred", f"no message may go to the patient: {reason_words(after.barred)}"
    if before.policy_id != after.policy_id:
        return "visit.policy-changed", "issued again because the clinic's reminder policy changed"
    return "visit.changed", "changed"


def of_sub_files(files: Iterable[SubFileFact]) -> list[Entry]:
    """Return an entry for each file of the patient at the clinic."""
    told = []
    for one in files:
        ids = {"sub_file_id": one.sub_file_id} | ({"number": one.number} if one.number else {})
        if one.number is None:
            what, text = "sub-file.parked", "sub-file waits for the patient's main file"
        else:
            what, text = f"sub-file.{one.status.lower()}", f"sub-file {one.number} is {one.status}"
        text += "" if one.own else "; an earlier visit opened it"
        told.append(Entry(one.created_at, RECORDS, what, text, ids=ids))
    return told


def of_reminders(reminders: Iterable[ReminderFact], zone: ZoneInfo) -> list[Entry]:
    """Return an entry for each stage that every reminder went through."""
    told = []
    for one in reminders:
        before: ReminderStage | None = None
        for nth, stage in enumerate(one.stages):
            what, text = _stage(one, before, stage, zone)
            ids = {"reminder_id": one.reminder_id, "rule": one.rule, "schedule_gen": str(one.schedule_gen)}
            if stage.notification_id:
                ids["notification_id"] = stage.notification_id
            told.append(Entry(stage.at, REMINDERS, what, text, stage.reason, stage.caused_by, ids, nth))
            before = stage
    return told


def _stage(one: ReminderFact, before: ReminderStage | None, now: ReminderStage, zone: ZoneInfo) -> tuple[str, str]:
    name = f"reminder {one.rule}"
    due = f" {wall(one.due, zone)}" if one.due else ""
    if now.status == "CANCELLED":
        verb = "not planned" if before is None else "cancelled"
        return f"reminder.{verb.replace(' ', '-')}", f"{name} {verb}: {reason_words(now.reason)}"
    if now.status == "FAILED":
        return "reminder.failed", f"{name} failed: {reason_words(now.reason)}"
    if now.status == "SENT" and (before is None or before.status != "SENT"):
        return "reminder.sent", f"{name} counts as sent"
    if now.handed_over and not (before and before.handed_over):
        return "reminder.handed-over", f"{name} was due{due} and handed over for sending"
    if before is None:
        return "reminder.planned", f"{name} planned for{due or ' a time not known yet'}"
    if now.delivery_state != before.delivery_state:
        return "reminder.delivery", f"{name}: {now.delivery_state}"
    return "reminder.planned-anew", f"{name} planned for{due}" if due else f"{name} noted again"
