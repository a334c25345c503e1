"""How the worker's events become records of the topic `reminders`.

Plans and hand-overs are written by the hundred thousand: hand-overs are structs encoded in C, plans are put together
from texts made once (ids, codes and slugs hold nothing that JSON would escape: the reader saw to it); both are what
`schemas.wire.encode` makes of the contracts (`tests/unit/reminders/planning/test_messages.py`). Every id is derived, so
a repeat is an identical copy (G4).
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from operator import itemgetter

import msgspec

from reminders.planning.domain.schedule import Timer
from reminders.planning.domain.visit import Visit
from reminders.timers.ports import Message
from reminders.timers.row import Row
from schemas.envelope import Envelope
from schemas.instants import HOUR, instant, micros
from schemas.planning import Slot
from schemas.reminders import (
    REMINDER_DEAD_LETTER,
    REMINDER_DUE,
    REMINDERS_CANCELLED,
    REMINDERS_PLANNED,
    ReminderDeadLetter,
    RemindersCancelled,
)
from schemas.wire import beginning, derived_id, derived_text, derived_texts, encode

SOURCE = "attend/reminders"


class _Due(msgspec.Struct):
    reminder_id: str
    appointment_id: str
    version: int
    schedule_gen: int
    rule: str
    due: str
    not_after: str
    caused_by: str
    starts_at: str


_DAY, _MINUTE = 24 * HOUR, HOUR // 60
_TIMES = [f"T{minute // 60:02d}:{minute % 60:02d}:00Z" for minute in range(24 * 60)]
_SOONEST = itemgetter(1, 0)
_encode = msgspec.json.Encoder().encode
_SPEC = ("ce_specversion", b"1.0")
_FROM = ("ce_source", SOURCE.encode())
_JSON = ("content-type", b"application/json")
_PLANNED = ("ce_type", REMINDERS_PLANNED.encode())
_DUE = ("ce_type", REMINDER_DUE.encode())


class RecordWording:
    """`planning.handle.Wording`.

    Args:
        now: Domain time, for dead letters only.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def planned(self, visit: Visit, slots: Sequence[Slot], caused_by: str, at: bytes) -> Message:
        """See `planning.handle.Wording`. An event has one plan: the plan's id is the event's."""
        key, generation = visit.appointment_id, visit.schedule_gen
        name = beginning(f'["reminder","{key}",{generation},')
        reminders = ",".join(derived_texts(name, _worded(tuple(slots)), '{"reminder_id":"'))
        body = (
            f'{{"appointment_id":"{key}","version":{visit.version},"schedule_gen":{generation},"patient_id":"'
            f'{visit.patient_id}","clinic_id":"{visit.clinic_id}","reminders":[{reminders}],"caused_by":'
        )
        subject, cause = key.encode(), caused_by.encode()
        end = "}" if visit.starts_at is None else f',"starts_at":"{text_of(micros(visit.starts_at))}"}}'
        return subject, b"".join((body.encode(), _encode(caused_by), end.encode())), (
            _SPEC, ("ce_id", cause), _PLANNED, _FROM, ("ce_subject", subject), ("ce_time", at), _JSON,
        )  # fmt: skip

    def due(self, appointment_id: str, row: Row, timer: Timer, at: datetime) -> Message:
        """See `planning.handle.Wording`."""
        subject = appointment_id.encode()
        reminder_id = _reminder_id(appointment_id, row.generation, timer.rule)
        body = _Due(
            reminder_id, appointment_id, row.version, row.generation, timer.rule, text_of(timer.due),
            text_of(timer.not_after), derived_text(f'["event","{appointment_id}",{row.version}]'), text_of(row.anchor),
        )  # fmt: skip
        ce_id = derived_text(f'["due","{reminder_id}"]').encode()
        return subject, _encode(body), (_SPEC, ("ce_id", ce_id), _DUE, _FROM, ("ce_subject", subject),
                                        ("ce_time", at.isoformat().encode()), _JSON)  # fmt: skip

    def cancelled(self, body: RemindersCancelled, at: datetime) -> Message:
        """See `planning.handle.Wording`."""
        content = [f"{reminder.reminder_id}/{reminder.reason}" for reminder in body.reminders]
        ce_id = derived_id("cancelled", body.appointment_id, body.version, *content)
        subject = str(body.appointment_id)
        return subject.encode(), encode(body), Envelope(str(ce_id), REMINDERS_CANCELLED, SOURCE, subject, at).headers()

    def dead_letter(self, body: ReminderDeadLetter, key: bytes | None) -> Message:
        """See `planning.handle.Wording`."""
        ce_id = derived_id("dead-letter", body.topic, body.partition, body.offset)
        place = f"{body.topic}/{body.partition}/{body.offset}"
        return key, encode(body), Envelope(str(ce_id), REMINDER_DEAD_LETTER, SOURCE, place, self._now()).headers()


@lru_cache(16_384)
def _worded(slots: tuple[Slot, ...]) -> tuple[tuple[bytes, str], ...]:
    """Return the end of each id's name, and what follows the id in the plan, soonest first.

    Visits begin at few minutes of the day, so that most plans differ in their ids only.
    """
    return tuple(
        (
            f'"{rule}"]'.encode(),
            f'","rule":"{rule}","due":"{text_of(due)}","not_after":"{text_of(not_after)}","status":'
            + (f'"CANCELLED","reason":"{reason}"}}' if reason else '"SCHEDULED"}'),
        )
        for rule, due, not_after, reason in sorted(slots, key=_SOONEST)
    )


@lru_cache(32_768)
def text_of(value: int) -> str:
    """Return an instant in microseconds as the contracts write it. Visits begin at few minutes of the day."""
    day, rest = divmod(value, _DAY)
    minute, rest = divmod(rest, _MINUTE)
    if rest:
        return instant(value).isoformat().replace("+00:00", "Z")
    return _date(day) + _TIMES[minute]


@lru_cache(8192)
def _date(day: int) -> str:
    return instant(day * _DAY).date().isoformat()


def _reminder_id(appointment_id: str, generation: int, rule: str) -> str:
    return derived_text(f'["reminder","{appointment_id}",{generation},"{rule}"]')
