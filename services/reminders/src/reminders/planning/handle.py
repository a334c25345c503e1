"""The story of the worker: an appointment's version comes, its reminders are planned; one is due, it is handed over."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from reminders.planning.domain import events, schedule
from reminders.planning.domain.corrections import asked_at, withdraw
from reminders.planning.domain.schedule import Settled, Timer, Unplannable, apply, read_terms, settle
from reminders.planning.domain.visit import Policy, Visit
from reminders.timers.ports import Fired, Message, Outcome, Source, Taken, Terms
from reminders.timers.row import NEVER, Row, pack, unpack
from schemas.instants import instant, micros
from schemas.planning import Slot
from schemas.reminders import Reason, ReminderDeadLetter, RemindersCancelled
from schemas.topics import REMINDERS_REPLAYS
from schemas.wire import Undecodable

FAULTS = frozenset({"INTERNAL", "UNKNOWN_TYPE", "UNKNOWN_VERSION", "NO_VALUE", "INVALID"})
"""Codes of records that booking should not have written, or that we should have been able to take. A replay, which a
person orders, does not count."""

IN_TIME = 1_000_000
"""A hand-over made ahead is used for so many microseconds after its instant; then it is made with the time of then."""


class Wording(Protocol):
    """How events become records of the topic `reminders`."""

    def planned(self, visit: Visit, slots: Sequence[Slot], caused_by: str, at: bytes) -> Message:
        """Return the record of a plan (`schemas.reminders.RemindersPlanned`), as of the domain time `at`."""

    def due(self, appointment_id: str, row: Row, timer: Timer, at: datetime) -> Message:
        """Return the record of a hand-over (`schemas.reminders.ReminderDue`) at this domain time."""

    def cancelled(self, body: RemindersCancelled, at: datetime) -> Message:
        """Return the record of a correction at this domain time."""

    def dead_letter(self, body: ReminderDeadLetter, key: bytes | None) -> Message:
        """Return the record of a record that cannot be taken."""


class Ready(NamedTuple):
    """A hand-over made before its time, for one state of its row; its domain time is the due instant.

    Attributes:
        packed: The row for which it was made: another one makes it void.
        until: In microseconds; later, something else is to be done.
    """

    packed: bytes
    until: int
    message: Message
    after: bytes


class RemindersOwner:
    """What the timers' owner answers (`reminders.timers.ports.Owner`).

    Args:
        read: Returns a source record's visit and its policy; raises Undecodable.
        cause: Returns id and domain time of a source record's event.
    """

    def __init__(
        self,
        read: Callable[[Source], tuple[Visit, Policy]],
        cause: Callable[[Source, Visit], tuple[str, bytes]],
        wording: Wording,
    ) -> None:
        self._read = read
        self._cause = cause
        self._wording = wording

    def take(
        self, records: Sequence[Source], held: Callable[[bytes], bytes | None], terms: Terms, taken: Taken | None = None
    ) -> Taken:
        """Plan every version above the one held; anything else changes nothing (R10, R14, D10).

        Whatever reading or planning one record raises is the dead letter of that record, published whole, and passed
        (G8). A row held whose terms cannot be read is planned as if there were none: ids are derived, so that what was
        handed over before is not sent twice. What the reconciler offers is planned anew in the version held too;
        without a value it means: nobody knows this appointment.
        """
        taken = Taken() if taken is None else taken
        rows, messages, outcomes = taken.rows, taken.messages, taken.outcomes
        read, cause, planned, applied = self._read, self._cause, self._wording.planned, 0
        for source in records:
            try:
                visit, policy = read(source)
                key = bytes.fromhex(visit.appointment_id.replace("-", ""))
            except Exception as error:  # noqa: BLE001  # one record's: the others of its partition go on
                self._unread(taken, source, held, terms, error)
                continue
            packed = rows.get(key) or held(key)
            row = None if packed is None else unpack(packed)
            if row is not None and visit.version <= row.version:
                if visit.version < row.version or (at := asked_at(source)) is None:
                    outcomes[Outcome.REPEAT if visit.version == row.version else Outcome.STALE] += 1
                    continue
                if row.generation != visit.schedule_gen:
                    self._withdraw(taken, key, row, terms, Reason.SUPERSEDED, at)
            before = None if row is None else _readable(row, terms)
            try:
                after, slots = apply(row, before, visit, policy, terms.number(policy.terms))
                message, packed = planned(visit, slots, *cause(source, visit)), pack(after)
            except Exception as error:  # noqa: BLE001  # as above
                self._refuse(taken, source, error)
                continue
            rows[key] = packed
            messages.append(message)
            applied += 1
        if applied:
            outcomes[Outcome.APPLIED] += applied  # once: hashing a member is a call
        return taken

    def prepare(self, key: bytes, packed: bytes, terms: Terms) -> Ready | None:
        """Make the hand-over of a row's next timer ahead of its time; None where it will take a decision."""
        row = unpack(packed)
        try:
            settled = settle(row, read_terms(terms.content(row.terms)), row.next_due)
            timer = settled.handed_over
            if timer is None or settled.too_late or settled.superseded:
                return None
            until = min(timer.not_after, settled.row.next_due - 1, timer.due + IN_TIME)
            due = self._wording.due(_text(key), row, timer, instant(timer.due))
            return Ready(packed, until, due, pack(settled.row))
        except Exception:  # noqa: BLE001  # it is set aside when it is due
            return None

    def fire(
        self, due: Sequence[tuple[bytes, bytes]], prepared: dict[bytes, Ready | None], terms: Terms, now: datetime
    ) -> Fired:
        """Hand over what is due and still in time; cancel the rest with its reason (D15)."""
        fired = Fired()
        at, ahead = micros(now), 0
        for key, packed in due:
            ready = prepared.get(key)
            if ready is not None and ready.packed is packed and at <= ready.until:
                fired.messages.append(ready.message)
                fired.rows[key] = ready.after
                ahead += 1
            else:
                try:
                    self._settle(fired, key, packed, terms, now)
                except Exception as error:  # noqa: BLE001  # one row's: the others of its partition fire
                    fired.aside[key] = type(error).__name__
        fired.counts["handed_over"] += ahead
        return fired

    def expect(self, due: Sequence[tuple[bytes, bytes]], terms: Terms, now: datetime) -> Counter[str]:
        """Return what `fire` would count (B3)."""
        counts: Counter[str] = Counter()
        for _, packed in due:
            row = unpack(packed)
            try:
                counts.update(_counts(settle(row, read_terms(terms.content(row.terms)), micros(now))))
            except Exception:  # noqa: BLE001  # as in `fire`
                counts["set_aside"] += 1
        return counts

    def _settle(self, fired: Fired, key: bytes, packed: bytes, terms: Terms, now: datetime) -> None:
        row = unpack(packed)
        settled = settle(row, read_terms(terms.content(row.terms)), micros(now))
        messages = list[Message]()
        if (late := events.cancelled(UUID(bytes=key), row, settled)) is not None:
            messages.append(self._wording.cancelled(late, now))
        if settled.handed_over is not None:
            messages.append(self._wording.due(_text(key), row, settled.handed_over, now))
        fired.rows[key] = pack(settled.row)
        fired.messages += messages
        fired.counts.update(_counts(settled))

    def _unread(
        self, taken: Taken, source: Source, held: Callable[[bytes], bytes | None], terms: Terms, error: Exception
    ) -> None:
        """Take a record without a visit in it: the reconciler's, or a dead letter."""
        at = asked_at(source) if source.value is None else None
        try:
            key = UUID((source.key or b"").decode()).bytes if at is not None else b""
        except ValueError:
            at = None
        if at is None:
            self._refuse(taken, source, error)
        else:
            self._forget(taken, key, held, terms, at)

    def _refuse(self, taken: Taken, source: Source, error: Exception) -> None:
        """Make a record a dead letter. What nobody foresaw is named by its class: its text may be the patient's."""
        if isinstance(error, Undecodable):
            code, message = error.code, str(error)
        elif isinstance(error, Unplannable):
            code, message = "UNPLANNABLE", str(error)
        else:
            code, message = "INTERNAL", f"the worker failed on it: {type(error).__name__}"
        letter = events.dead_letter(source, code, message)
        taken.messages.append(self._wording.dead_letter(letter, None if letter.key is None else source.key))
        taken.outcomes[Outcome.DEAD] += 1
        if code in FAULTS and not source.topic.endswith(REMINDERS_REPLAYS.name):
            taken.faults += 1

    def _forget(
        self, taken: Taken, key: bytes, held: Callable[[bytes], bytes | None], terms: Terms, at: datetime
    ) -> None:
        packed = taken.rows.get(key) or held(key)
        if packed is not None:
            self._withdraw(taken, key, unpack(packed), terms, Reason.NOT_SENDABLE, at)
            taken.outcomes[Outcome.APPLIED] += 1

    def _withdraw(self, taken: Taken, key: bytes, row: Row, terms: Terms, reason: Reason, at: datetime) -> None:
        held = _readable(row, terms)
        if held is None:
            taken.rows[key] = pack(row._replace(next_due=NEVER))  # which reminders waited, nobody can say
            return
        after, body = withdraw(key, row, held, reason)
        if body is not None:
            taken.rows[key] = pack(after)
            taken.messages.append(self._wording.cancelled(body, at))


def _counts(settled: Settled) -> dict[str, int]:
    return {
        "handed_over": int(settled.handed_over is not None),
        "too_late": len(settled.too_late),
        "superseded": len(settled.superseded),
    }


def _readable(row: Row, terms: Terms) -> schedule.Terms | None:
    """Return what a row's terms say, None if they are damaged: whatever reading them raises is that row's."""
    try:
        held = read_terms(terms.content(row.terms))
        held.timers(row.anchor)
    except Exception:  # noqa: BLE001
        return None
    return held


def _text(key: bytes) -> str:
    digits = key.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
