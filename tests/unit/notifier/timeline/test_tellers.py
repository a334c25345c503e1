"""B1: a message that is left out because another told the same names that other one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from notifier.ledger.domain.states import NotificationState
from notifier.timeline.domain.answer import answer
from notifier.timeline.domain.entries import ReminderFact, ReminderStage
from notifier.timeline.domain.sent_messages import MessageFact, of_messages
from notifier.timeline.domain.tellers import TellerFact, with_tellers
from schemas.notifications import Channel, DeliveryState, Kind

LONDON = ZoneInfo("Europe/London")
HOUR = timedelta(hours=1)
MORNING = datetime(2027, 3, 3, 8, tzinfo=UTC)
OURS, OTHER = "01890000-0000-7000-8000-000000000001", "01890001-aaaa-7000-8000-000000000002"
KNOWN = "another message had told or will tell the same"


def left_out(kind: Kind, reason: str = "ALREADY_TOLD") -> MessageFact:
    return MessageFact(
        "n-1", kind, "patient", 0, NotificationState.SKIPPED, None, reason, DeliveryState.UNKNOWN,
        MORNING, MORNING, None, MORNING + 2 * HOUR, MORNING, "v1",
    )  # fmt: skip


def teller(kind: Kind, at: datetime, channel: Channel | None = Channel.SMS, visit: str = OURS,
           state: NotificationState = NotificationState.ACCEPTED) -> TellerFact:  # fmt: skip
    return TellerFact("n-1", f"by-{at:%d-%H}", visit, kind, state, channel, at,
                      "r-1" if kind is Kind.REMINDER else None)  # fmt: skip


def reminder(due: datetime, status: str = "SCHEDULED", rule: str = "2h", of: str = "r-2") -> ReminderFact:
    stage = ReminderStage(MORNING - 24 * HOUR, status, None, False, None, None, "v1")
    return ReminderFact(of, rule, 1, due, (stage,))


def said(kind: Kind, *tellers: TellerFact, reminders: tuple[ReminderFact, ...] = (), reason: str = "ALREADY_TOLD",
         **changes: object) -> MessageFact:  # fmt: skip
    [one] = with_tellers([replace(left_out(kind, reason), **changes)], tellers, reminders, OURS, LONDON)  # type: ignore[arg-type]
    return one


DAY_BEFORE = MORNING - 24 * HOUR
CASES = [
    # a cancellation: the message of the visit booked in its place told of both
    (Kind.CANCELLED, [teller(Kind.MOVED, MORNING - HOUR, Channel.EMAIL, OTHER)],
     "notice of the new time by email at 2027-03-03 07:00, of visit 01890001-aaaa"),
    # moved and moved back: what he was told first still holds; the last counts
    (Kind.MOVED, [teller(Kind.REMINDER, MORNING - 30 * HOUR), teller(Kind.CONFIRMATION, MORNING - 2 * HOUR)],
     "confirmation by SMS at 2027-03-03 06:00"),
    # what is said only afterwards is not what was known, if something else was
    (Kind.CONFIRMATION, [teller(Kind.REMINDER, MORNING - HOUR), teller(Kind.REMINDER, MORNING + HOUR)],
     "reminder 24h by SMS at 2027-03-03 07:00"),
    # the message of the day: a reminder since the noon before, not one of the morning before
    (Kind.TODAY, [teller(Kind.REMINDER, DAY_BEFORE), teller(Kind.REMINDER, DAY_BEFORE + 5 * HOUR, Channel.EMAIL)],
     "reminder 24h by email at 2027-03-02 13:00"),
    # … or one that came after it
    (Kind.TODAY, [teller(Kind.REMINDER, DAY_BEFORE), teller(Kind.REMINDER, MORNING + HOUR)],
     "reminder 24h by SMS at 2027-03-03 09:00"),
    # … or one that waits
    (Kind.TODAY, [teller(Kind.REMINDER, MORNING - HOUR, None, state=NotificationState.QUEUED)],
     "reminder 24h, which waits"),
    # imported: told by whoever kept the visits before
    (Kind.CONFIRMATION, [teller(Kind.CONFIRMATION, DAY_BEFORE, None, state=NotificationState.SKIPPED)],
     "whoever kept the visits before they were imported at 2027-03-02 08:00"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "tellers", "words"), CASES)
def test_b1_what_told_the_same_is_named_in_the_entry_in_the_answer_and_by_its_ids(
    kind: Kind, tellers: list[TellerFact], words: str
) -> None:
    one = said(kind, *tellers, reminders=(reminder(DAY_BEFORE, "SENT", "24h", "r-1"),))

    [*_, entry] = of_messages([one], LONDON)
    assert entry.text.endswith(f" not sent: {KNOWN}: {words}")
    assert entry.ids["told_by"] in {each.notification_id for each in tellers}
    assert entry.ids["told_by_visit"] == next(
        each.appointment_id for each in tellers if each.notification_id == entry.ids["told_by"]
    )
    assert answer([one], [], [], [], LONDON).did_not_get[0].endswith(f"({KNOWN}: {words})")


def test_b1_a_reminder_that_the_worker_has_yet_to_hand_over_is_named_too() -> None:
    ahead = (reminder(MORNING + 4 * HOUR), reminder(MORNING + 3 * HOUR, rule="3h"), reminder(DAY_BEFORE, "SENT"))

    assert said(Kind.TODAY, reminders=ahead).why == f"{KNOWN}: reminder 3h, due at 2027-03-03 11:00"
    assert said(Kind.CANCELLED, reminders=ahead).why == KNOWN
    assert said(Kind.TODAY, reminders=(reminder(MORNING + HOUR, "CANCELLED"),)).why == KNOWN


def test_b1_so_is_one_that_was_to_come_and_was_cancelled_afterwards() -> None:
    planned = reminder(MORNING + HOUR)
    for later in ("CANCELLED", "FAILED"):
        ended = replace(planned.stages[0], at=MORNING + HOUR / 2, status=later)
        gone = replace(planned, stages=(*planned.stages, ended))
        assert said(Kind.TODAY, reminders=(gone,)).why == f"{KNOWN}: reminder 2h, due at 2027-03-03 09:00"


@pytest.mark.parametrize("kind", [Kind.CONFIRMATION, Kind.TODAY, Kind.CANCELLED, Kind.REMINDER])
@pytest.mark.parametrize("reason", ["OPTED_OUT", "SUPERSEDED", "TOO_LATE"])
def test_what_is_left_out_for_another_reason_names_nobody(kind: Kind, reason: str) -> None:
    one = said(kind, teller(Kind.REMINDER, MORNING - HOUR), reminders=(reminder(MORNING + HOUR),), reason=reason)

    assert (one.told_by, one.told_by_ids) == ("", {})


def test_nothing_is_named_where_nothing_is_known_of_it() -> None:
    assert said(Kind.MOVED).why == KNOWN
    assert said(Kind.TODAY, teller(Kind.REMINDER, DAY_BEFORE)).why == KNOWN
