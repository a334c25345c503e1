"""Whatever a record of `appointments` holds: it is planned, or its own dead letter, and the next one is planned."""

import json
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reminders.planning.domain.corrections import MEND
from reminders.planning.domain.schedule import MOST_RULES
from reminders.planning.handle import RemindersOwner
from reminders.planning.messages import RecordWording
from reminders.planning.visit_reader import cause_of, read_visit
from reminders.projector.messages import event_time
from reminders.projector.store import _letter
from reminders.timers.ports import Outcome, Source, Taken
from reminders.timers.producer import BATCH_BYTES
from reminders.timers.row import UnreadableRow, pack, unpack
from reminders.timers.terms import TermsTable
from schemas.appointments import Appointment, ReminderPolicy, SendWindow
from schemas.envelope import event_type
from schemas.instants import micros
from schemas.reminders import REMINDERS_PLANNED, ReminderDeadLetter, RemindersPlanned
from schemas.wire import decode
from tests.support.reminders.builders import HOURS, NOW, Record, appointment, headers_of, id_of, rule, source_of

OWNER = RemindersOwner(read_visit, cause_of, RecordWording(lambda: NOW))
KEY = id_of("visit").bytes
BASE = json.loads(source_of(appointment()).value or b"")
ODD_ZONES = (
    "Europe",
    "America/Argentina",
    "x" * 300,
    "",
    "Europe/London\0",
    "../UTC",
    "/etc/passwd",
    "zone.tab",
    "GMT\n",
)
ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(ODD_ZONES),
    st.sampled_from((0, -1, 2**31, 2**32, 2**63, 10**25, 1.5, "1", [], {}, [[]], "2h\n", "2H", "x" * 41, "arrived")),
    st.sampled_from(
        (
            "0001-01-01T00:00:00Z",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59.999999Z",
            "9999-12-31T23:59:59-12:00",
            "2026-03-29T01:30:00",
            "07:00Z",
            "21:00+05:00",
            "23:59:59.999999",
            "00:00",
        )
    ),
)
PLACES: list[tuple[str | int, ...]] = [
    *((name,) for name in BASE),
    *(("policy", name) for name in BASE["policy"]),
    *(("policy", "window", name) for name in BASE["policy"]["window"]),
    *(("policy", "rules", 0, name) for name in ("slug", "lead_hours", "lead_days", "in_force_since")),
]
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(("ce_type", "ce_id", "ce_time", "client", MEND, "x")),
        st.one_of(
            st.none(), st.binary(max_size=30), st.sampled_from((b"appointment.changed.v1", b"2026-03-02T09:00:00"))
        ),
    ),
    max_size=8,
)


def record_of(body: Any, headers: Any = None) -> Source:
    """Return a record of any body under the visit's key."""
    visit = appointment()
    value = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Record("appointments", 0, 7, str(visit.appointment_id).encode(), value, headers or headers_of(visit))


def changed(place: tuple[str | int, ...], value: Any) -> Any:
    """Return the body of a visit with something else in one place."""
    body = deepcopy(BASE)
    _put(body, place, value)
    return body


def _put(body: Any, place: tuple[str | int, ...], value: Any) -> None:
    for name in place[:-1]:
        body = body[name]
    body[place[-1]] = value


def take(*sources: Source) -> Taken:
    return OWNER.take(sources, lambda _: None, TermsTable())


def check(taken: Taken) -> None:
    """What came of one record and an ordinary one after it can be read by those who follow."""
    assert taken.outcomes.total() == 2
    assert taken.outcomes[Outcome.APPLIED] >= 1
    for key, value, headers in taken.messages:
        event = Record("reminders", 0, 0, key, value, headers)
        assert event_time(event) is not None
        decode(RemindersPlanned if event_type(tuple(headers)) == REMINDERS_PLANNED else ReminderDeadLetter, value)
        assert len(value or b"") + len(key or b"") < BATCH_BYTES - 1_000


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), ODD), min_size=1, max_size=2))
def test_g8_any_field_may_hold_anything(changes: list[tuple[tuple[str | int, ...], Any]]) -> None:
    body = deepcopy(BASE)
    for place, value in sorted(changes, key=lambda change: -len(change[0])):
        _put(body, place, value)

    check(take(record_of(body), source_of(appointment("other"))))


@settings(deadline=None)
@given(HEADERS, st.sampled_from([record_of(BASE).value, None, b"\xff", b"[" * 100_000, b"{}"]))
def test_g8_any_header_may_hold_anything(headers: Any, value: bytes | None) -> None:
    check(take(replace(record_of(BASE, headers or (("x", b""),)), value=value), source_of(appointment("other"))))  # type: ignore[type-var]


@pytest.mark.parametrize("zone", ODD_ZONES)
@pytest.mark.parametrize("rules", [(rule("2h", hours=2),), (rule("1d", days=1),), ()])
def test_g8_a_zone_that_is_none_is_that_records_dead_letter(zone: str, rules: Any) -> None:
    taken = take(source_of(appointment(zone=zone, rules=rules)))

    assert taken.outcomes == {Outcome.DEAD: 1}
    assert decode(ReminderDeadLetter, taken.messages[0][1]).code == "UNPLANNABLE"


def test_g8_a_body_nested_too_deep_is_invalid() -> None:
    deep = json.dumps(BASE)[:-1].encode() + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"

    taken = take(record_of(deep), source_of(appointment("other")))

    assert decode(ReminderDeadLetter, taken.messages[0][1]).code == "INVALID"


def _with(**changes: Any) -> Appointment:
    policy = ReminderPolicy(policy_id="p1", rules=changes.pop("rules", (rule("2h", hours=2),)), window=HOURS)
    return appointment().model_copy(update={"policy": policy.model_copy(update=changes)})


@pytest.mark.parametrize(
    "event",
    [
        _with(window=SendWindow(opens=time(7, tzinfo=UTC), closes=time(21))),
        _with(window=SendWindow(opens=time(7), closes=time(21, tzinfo=UTC))),
        _with(rules=tuple(rule(f"{hours}h", hours=hours) for hours in range(1, MOST_RULES + 2))),
        _with(rules=(rule("2h", hours=2), rule("2h", hours=3))),
        _with(rules=(rule("2h"),)),
        _with(rules=(rule("2h", hours=2, days=1),)),
        appointment(
            starts_at=datetime(9999, 12, 31, 23, tzinfo=UTC), zone="Pacific/Apia", rules=(rule("1h", hours=1),)
        ),
    ],
    ids=[
        "opens with an offset",
        "closes with an offset",
        "rules",
        "one slug twice",
        "no lead",
        "two leads",
        "year 9999",
    ],
)
def test_g8_what_the_contract_allows_and_no_instant_follows_from_is_a_dead_letter(event: Appointment) -> None:
    taken = take(source_of(event), source_of(appointment("other")))

    assert taken.outcomes == {Outcome.DEAD: 1, Outcome.APPLIED: 1}
    assert decode(ReminderDeadLetter, taken.messages[0][1]).code == "UNPLANNABLE"


def test_as_many_rules_as_are_taken_fit_into_a_batch() -> None:
    rules = tuple(rule(f"{'x' * 35}{hours}", hours=hours) for hours in range(1, MOST_RULES + 1))

    check(take(source_of(_with(rules=rules)), source_of(appointment("other"))))


def test_g8_a_slug_with_a_newline_behind_it_is_no_slug() -> None:
    taken = take(record_of(changed(("policy", "rules", 0, "slug"), "2h\n")))

    assert decode(ReminderDeadLetter, taken.messages[0][1]).code == "INVALID"


@pytest.mark.parametrize("name", ["ce_id", "ce_time"])
@pytest.mark.parametrize("value", [b"", b"\xff", b"x" * 500_000, b"yesterday", b"2026-03-02T09:00:00", None])
def test_b1_headers_that_say_nothing_are_as_good_as_none(name: str, value: bytes | None) -> None:
    headers = tuple((n, value if n == name else v) for n, v in headers_of(appointment()))

    taken = take(record_of(BASE, headers), source_of(appointment("other")))

    assert taken.outcomes == {Outcome.APPLIED: 2}
    check(taken)


def test_g8_a_key_too_large_to_be_carried_is_left_at_its_position() -> None:
    check(take(replace(record_of(BASE), key=b"k" * 500_000), source_of(appointment("other"))))  # type: ignore[type-var]


def test_what_nobody_foresaw_is_that_records_dead_letter_and_holds_nothing_of_it() -> None:
    def read(source: Source) -> Any:
        if source.offset == 7:
            raise RuntimeError("Jane Canary")
        return read_visit(source)

    owner = RemindersOwner(read, cause_of, RecordWording(lambda: NOW))

    taken = owner.take([record_of(BASE), source_of(appointment("other"))], lambda _: None, TermsTable())

    assert taken.outcomes == {Outcome.DEAD: 1, Outcome.APPLIED: 1}
    letter = decode(ReminderDeadLetter, taken.messages[0][1])
    assert (letter.code, "Canary" in letter.message) == ("INTERNAL", False)


def test_what_a_row_holds_is_no_fault_of_the_record() -> None:
    with pytest.raises(UnreadableRow):
        OWNER.take([source_of(appointment(version=2))], {KEY: b"\x09"}.get, TermsTable())


def test_terms_that_are_gone_are_no_fault_of_the_record() -> None:
    first = take(source_of(appointment()))

    taken = OWNER.take([source_of(appointment(version=2))], first.rows.get, TermsTable())

    assert (taken.outcomes, taken.faults) == ({Outcome.APPLIED: 1}, 0)


def test_what_a_dead_letter_would_have_changed_is_not_changed() -> None:
    late = appointment(version=2, starts_at=datetime(1, 1, 1, tzinfo=UTC))

    taken = take(source_of(appointment()), source_of(late))

    assert unpack(taken.rows[KEY]).version == 1
    assert unpack(pack(unpack(taken.rows[KEY]))).next_due == micros(NOW + timedelta(days=4))


@pytest.mark.parametrize(
    ("topic", "kind", "counts"),
    [
        ("appointments", b"appointment.changed.v9", 1),
        ("t1.appointments", b"something.else.v1", 1),
        ("t1.reminders-replays", b"appointment.changed.v9", 0),
    ],
)
def test_what_booking_should_not_have_written_counts_as_a_fault_and_a_replay_does_not(
    topic: str, kind: bytes, counts: int
) -> None:
    good = source_of(appointment())
    headers = tuple((name, kind if name == "ce_type" else value) for name, value in good.headers)

    taken = taken_of(Record(topic, 0, 7, good.key, good.value, headers))

    assert (taken.faults, taken.outcomes) == (counts, {Outcome.DEAD: 1})


def test_a_record_of_another_key_is_dead_and_no_fault() -> None:
    good = source_of(appointment())
    assert taken_of(Record("appointments", 0, 7, b"another", good.value, good.headers)).faults == 0


STRANGE: tuple[tuple[tuple[str, bytes | None], ...], ...] = (
    (("caf\udce9", b"\0"),),
    (("twice", b"1"), ("twice", b"2")),
    (("null", None),),
    (("caf\u00e9", b"text"), ("plain", b"")),
)


@pytest.mark.parametrize("headers", STRANGE)
def test_g8_a_dead_letter_has_every_header_as_it_was(headers: tuple[tuple[str, bytes | None], ...]) -> None:
    source = Record("appointments", 0, 7, b"key", b"value", cast(Any, headers))

    ((_, body, _),) = taken_of(source).messages

    assert _letter(decode(ReminderDeadLetter, body)).headers == headers


def taken_of(source: Source) -> Taken:
    return OWNER.take([source], lambda _: None, TermsTable())
