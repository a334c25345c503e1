"""A record is the cause if PostgreSQL cuts it short by itself, often, and again after others passed (0031)."""

from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from chassis.delivery.batch import Part
from chassis.delivery.lone_partition import LONE_TRIES, Alone
from chassis.postgres.database import CutShort
from chassis.postgres.portion import Portion
from chassis.process.errors import Unavailable

CUT = CutShort("DATABASE_UNAVAILABLE", "PostgreSQL: 25P04")
GONE = Unavailable("DATABASE_UNAVAILABLE", "PostgreSQL: 08006")


def part(*offsets: int) -> Part:
    records: list[Any] = [ConsumerRecord("t", 3, offset, 0, 0, None, b"", None, 0, 0, ()) for offset in offsets]
    return Part(TopicPartition("t", 3), records, offsets[0])


def tried(*tries: tuple[Part, Unavailable, int]) -> tuple[Alone, str]:
    alone, told = Alone(Portion(), "shop"), ""
    for one, error, passed in tries:
        told, _ = alone.failed(one, error, passed)
    return alone, told


def test_cut_short_by_itself_often_and_again_after_others_passed_it_is_the_cause() -> None:
    alone, _ = tried(*[(part(7), CUT, passed) for passed in (5, 5, 6)])
    assert alone.verdict(part(7)) == f"PostgreSQL: 25P04, {LONE_TRIES} times with this record alone"


@pytest.mark.parametrize(
    "tries",
    [
        [(part(7), CUT, 5)] * 9,  # nothing else passes
        [(part(7), CUT, passed) for passed in (5, 6)],  # seldom
        [(part(7), CUT, passed) for passed in (10, 11, 11)],  # others passed, and do no longer
        [(part(7), CUT, passed) for passed in (5, 6, 7, 8, 8)],
        [(part(7), GONE, passed) for passed in range(9)],  # the server is away
        [(part(7, 8), CUT, passed) for passed in range(9)],  # it was not alone
        [(part(6), CUT, 5), (part(6), CUT, 6), (part(7), CUT, 7)],  # another record
        [(part(6), CUT, passed) for passed in (5, 6, 7)],  # it was not tried yet
        [(part(6), CUT, 5), (part(6), CUT, 6), (part(6), CUT, 7), (part(7), CUT, 8)],  # another was the cause
    ],
)
def test_otherwise_it_is_not(tries: list[tuple[Part, Unavailable, int]]) -> None:
    alone, _ = tried(*tries)
    assert alone.verdict(part(7)) is None


def test_after_another_record_its_own_tries_count() -> None:
    alone, _ = tried((part(6), CUT, 5), *[(part(7), CUT, passed) for passed in (5, 6, 7)])
    assert alone.verdict(part(7)) is not None


def test_others_that_passed_after_its_last_try_only_say_nothing_of_it() -> None:
    """The database may have recovered in between: it is tried once more."""
    alone, _ = tried(*[(part(7), CUT, 5)] * LONE_TRIES)
    assert alone.verdict(part(7)) is None
    alone.failed(part(7), CUT, 6)
    assert alone.verdict(part(7)) is not None


def test_while_it_waits_it_says_why_and_from_the_last_of_the_tries_on_the_way_out() -> None:
    _, told = tried((part(7), CUT, 5))
    assert told == "t[3] waits: PostgreSQL: 25P04"
    _, told = tried(*[(part(7), CUT, 5)] * LONE_TRIES)
    assert told.startswith("t[3] stands at 7: PostgreSQL: 25P04, 3 times with this record alone")
    assert "attend dead-letters skip shop t 3 --to 8 --by" in told


def test_what_it_tries_next_is_its_own_though_others_get_more_through() -> None:
    topic = Portion(8)
    alone = Alone(topic, "shop")
    assert len(alone.next_of(part(*range(20))).records) == 8
    alone.failed(part(*range(8)), GONE, 0)
    topic.succeeded(4, 0)
    assert (topic.records, len(alone.next_of(part(*range(20))).records)) == (8, 4)


def test_it_begins_with_what_its_topic_has_learnt_by_its_first_try() -> None:
    topic = Portion(8)
    alone = Alone(topic, "shop")
    topic.failed(8)
    assert len(alone.next_of(part(*range(20))).records) == 4


def test_it_grows_beyond_what_its_topic_had_learnt_in_an_outage() -> None:
    topic = Portion(8)
    for _ in range(4):
        topic.failed(topic.records)
    alone, sizes = Alone(topic, "shop"), list[int]()
    for _ in range(5):
        sizes.append(len(alone.next_of(part(*range(20))).records))
        alone.succeeded(part(*range(sizes[-1])), 0)

    assert sizes == [1, 2, 4, 8, 16]
    assert topic.records == 8


def test_each_try_is_told_to_all_that_learn_from_it_by_one_call() -> None:
    topic = Portion(8)
    alone = Alone(topic, "shop")
    alone.next_of(part(*range(20)))

    assert [alone.failed(part(*range(8)), GONE, 0)[1] for _ in range(4)] == [True, True, False, True]
    assert (alone.failures, topic.records, alone.pause_s > 0.5) == (4, 1, True)

    alone.succeeded(part(0), 0)
    assert (alone.failures, topic.records, len(alone.next_of(part(*range(20))).records)) == (0, 2, 2)
