"""Partitions that Kafka does not acknowledge are passed over, and tried again by themselves."""

from chassis.outbox.held_back import LONGEST_PATIENCE_S, LONGEST_PAUSE_S, HeldBack

A, B = ("notes", 0), ("notes", 1)


def test_while_all_is_well_a_round_is_for_every_partition() -> None:
    assert HeldBack().next_round([A, B], now=0.0) == ([A, B], LONGEST_PATIENCE_S)


def test_one_held_back_is_left_out_until_it_is_tried_in_a_round_of_its_own() -> None:
    held = HeldBack()
    held.failed([A], now=10.0)

    assert held.next_round([A, B], now=11.9)[0] == [B]
    assert held.next_round([A, B], now=12.0)[0] == [A]


def test_it_is_tried_ever_more_rarely_and_given_ever_more_time_up_to_what_every_partition_is_given() -> None:
    held, now, pauses, patience = HeldBack(), 0.0, [], []
    for _ in range(7):
        held.failed([A], now)
        began = now
        while held.next_round([A, B], now)[0] == [B]:
            now += 0.5
        pauses.append(now - began)
        patience.append(held.next_round([A, B], now)[1])

    assert pauses == [2, 4, 8, 16, 16, 16, 16]
    assert pauses[-1] == LONGEST_PAUSE_S
    assert patience == [0.25, 0.5, 1, 2, 4, 4, 4]
    assert patience[-1] == LONGEST_PATIENCE_S
    assert all(waited <= pause / 4 for waited, pause in zip(patience, pauses, strict=True))


def test_once_acknowledged_it_is_one_of_all_again_and_its_failures_are_forgotten() -> None:
    held = HeldBack()
    held.failed([A], now=0.0)
    held.failed([A], now=2.0)
    held.acknowledged([A])

    assert held.next_round([A, B], now=2.0)[0] == [A, B]
    held.failed([A], now=3.0)
    assert held.next_round([A, B], now=5.0)[0] == [A]


def test_the_reason_names_those_held_back_and_how_often_they_failed() -> None:
    held = HeldBack()
    assert held.reason() is None
    held.failed([B, A], now=0.0)
    held.failed([B], now=2.0)

    assert "notes[0] (1 times), notes[1] (2 times)" in (held.reason() or "")


def test_some_and_none_are_held_apart() -> None:
    held = HeldBack()
    held.failed([A], now=0.0)

    assert held.holds([A])
    assert not held.holds([A, B])
