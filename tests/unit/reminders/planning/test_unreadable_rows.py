"""A stored row of which nothing can be said is that row's trouble: the others fire, and the next plan puts it right."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reminders.planning.domain.corrections import MEND
from reminders.timers.ports import Outcome, Source
from reminders.timers.row import NEVER, pack, unpack
from schemas.appointments import Appointment
from schemas.instants import micros
from schemas.reminders import REMINDER_DUE, REMINDERS_CANCELLED, REMINDERS_PLANNED
from tests.support.reminders.builders import NOW, VISIT, appointment, id_of, rule, source_of
from tests.unit.reminders.planning.test_handle import DAY_BEFORE, KEY, ONE_RULE, OWNER, Story, kinds

OTHER = id_of("other").bytes
DAMAGED = [
    b"",
    b"no terms",
    b"\xff\xfe",
    b"[]",
    b"{}",
    b"[" * 100_000,
    b'{"zone":"Nowhere","rules":[{"slug":"24h","days":1}]}',
    b'{"zone":"Europe","rules":[{"slug":"24h","days":1}]}',
    b'{"zone":"Europe/London","rules":[{"us":86400000000}]}',
    b'{"zone":"Europe/London","rules":[{"slug":"24h","us":"a day"}]}',
    b'{"zone":"Europe/London","rules":[{"slug":"24h","us":1e400}]}',
    b'{"zone":"Europe/London","rules":[{"slug":["24h"],"days":1}]}',
    b'{"zone":"Europe/London","rules":[{"slug":"24h","us":86400000000}],"hours":["late"]}',
]


def hurt(content: bytes) -> Story:
    """Return a partition with a row whose terms are damaged, and one of other terms."""
    story = Story()
    story.take(source_of(appointment()), source_of(appointment("other", rules=ONE_RULE)))
    story.terms.replay(1, content)
    return story


def offered(event: Appointment) -> Source:
    source = source_of(event)
    return replace(source, headers=(*source.headers, (MEND, NOW.isoformat().encode())))  # type: ignore[type-var]


@pytest.mark.parametrize("content", DAMAGED)
def test_a_row_whose_terms_are_damaged_is_set_aside_and_the_others_fire(content: bytes) -> None:
    story = hurt(content)
    due = list(story.rows.items())
    prepared = {key: OWNER.prepare(key, packed, story.terms) for key, packed in due}

    expected = OWNER.expect(due, story.terms, DAY_BEFORE)
    fired = OWNER.fire(due, prepared, story.terms, DAY_BEFORE)

    assert list(fired.aside) == [KEY]
    assert list(fired.rows) == [OTHER]
    assert kinds(fired.messages) == [REMINDER_DUE]
    assert +expected == {"handed_over": 1, "set_aside": 1}


@pytest.mark.parametrize("anchor", [2**62, -(2**62)])
def test_a_row_that_leads_up_to_no_instant_is_set_aside(anchor: int) -> None:
    story = Story()
    story.take(source_of(appointment()))
    story.rows[KEY] = pack(unpack(story.rows[KEY])._replace(anchor=anchor))

    assert OWNER.prepare(KEY, story.rows[KEY], story.terms) is None
    assert list(OWNER.fire([(KEY, story.rows[KEY])], {}, story.terms, VISIT).aside) == [KEY]


@pytest.mark.parametrize("content", DAMAGED)
def test_a_version_puts_it_right_whoever_brings_it(content: bytes) -> None:
    for source in (
        source_of(appointment(version=2)),
        offered(appointment()),
        offered(appointment(schedule_gen=2)),
        source_of(appointment(version=2, rules=(rule("3h", hours=3),))),
    ):
        story = hurt(content)
        taken = story.take(source)

        assert taken.outcomes == {Outcome.APPLIED: 1}
        assert kinds(taken.messages) == [REMINDERS_PLANNED]
        story.terms.replay(1, content)  # what is planned anew has terms of its own
        assert not story.fire(24, prepare=True).aside


def test_a_repeat_leaves_it_as_it_is_and_says_so() -> None:
    assert hurt(b"no terms").take(source_of(appointment())).outcomes == {Outcome.REPEAT: 1}


@pytest.mark.parametrize("content", DAMAGED)
def test_what_booking_does_not_know_fires_no_more(content: bytes) -> None:
    story = hurt(content)

    taken = story.take(replace(offered(appointment()), value=None))  # type: ignore[type-var]

    assert unpack(taken.rows[KEY]).next_due == NEVER
    assert taken.messages == []


def test_what_one_row_said_before_it_raised_is_not_said() -> None:
    """Two overdue: the first is announced as superseded before the second is worded."""
    story = Story()
    story.take(source_of(appointment(rules=(rule("24h", hours=24), rule("20h", hours=20)))))
    at = micros(VISIT - timedelta(hours=19))
    row = unpack(story.rows[KEY])

    assert kinds(OWNER.fire([(KEY, pack(row))], {}, story.terms, VISIT - timedelta(hours=19)).messages) == [
        REMINDERS_CANCELLED,
        REMINDER_DUE,
    ]
    broken = OWNER.fire([(KEY, pack(row._replace(version=0)))], {}, story.terms, VISIT - timedelta(hours=19))
    assert (broken.messages, list(broken.aside)) == ([], [KEY])
    assert row.next_due <= at
