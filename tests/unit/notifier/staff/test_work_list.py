"""B12: what waits for a person, and what each act makes of it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis.api.page_cursor import BadCursor, Cursor
from notifier.ledger.domain.notification import Notification
from notifier.ledger.domain.settlement import again
from notifier.ledger.domain.states import STEPS, NotificationState
from notifier.staff.work_list.domain import Act, acts, dropped, found_out, is_listed
from notifier.values.kinds import PROVIDER
from schemas.notifications import Channel, Kind
from schemas.reminders import Reason
from tests.support.notifier.builders import FIRST, NOTIFICATION, NOW, STARTS, notification


def unknown(**changes: Any) -> Notification:
    return notification(
        state=NotificationState.UNKNOWN, reason=Reason.OUTCOME_UNKNOWN, lane=Channel.SMS, attempt_id=NOTIFICATION,
        version=1, **changes,
    )  # fmt: skip


def nobody_knows(provider: UUID | None) -> Notification:
    return notification(
        state=NotificationState.SKIPPED, reason=Reason.UNKNOWN_PROVIDER, recipient=PROVIDER, recipient_id=provider,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("held", "listed"),
    [
        (notification(state=NotificationState.FAILED, reason=Reason.REFUSED), True),
        (notification(state=NotificationState.UNKNOWN, reason=Reason.OUTCOME_UNKNOWN), True),
        (notification(state=NotificationState.SKIPPED, reason=Reason.NO_CONTACT), True),
        (notification(state=NotificationState.SKIPPED, reason=Reason.UNKNOWN_PATIENT), True),
        (notification(state=NotificationState.SKIPPED, reason=Reason.OPTED_OUT), False),
        (notification(state=NotificationState.SKIPPED, reason=Reason.APPOINTMENT_CANCELLED), False),
        (notification(state=NotificationState.ACCEPTED), False),
        (notification(state=NotificationState.QUEUED), False),
        (notification(state=NotificationState.FAILED, reason=Reason.REFUSED, recipient=PROVIDER), False),
        (nobody_knows(FIRST), True),
        (nobody_knows(None), False),
    ],
)
def test_only_what_a_person_can_mend_waits_for_one(held: Notification, listed: bool) -> None:
    assert is_listed(held) is listed


def test_what_may_be_done_depends_on_the_state_and_on_the_visit() -> None:
    assert acts(Kind.REMINDER, NotificationState.FAILED, STARTS, NOW) == (Act.RESEND, Act.DROP)
    assert acts(Kind.REMINDER, NotificationState.UNKNOWN, STARTS, NOW) == (Act.SETTLE, Act.RESEND, Act.DROP)
    assert acts(Kind.REMINDER, NotificationState.FAILED, NOW, NOW) == (Act.DROP,)
    assert acts(Kind.REMINDER, NotificationState.UNKNOWN, None, NOW) == (Act.SETTLE, Act.DROP)
    assert acts(Kind.PROVIDER_BOOKED, NotificationState.SKIPPED, STARTS, NOW) == (Act.DROP,)


def test_an_unknown_one_that_is_dropped_has_failed_and_the_world_is_told() -> None:
    held = unknown()

    after = dropped(held)

    assert after is not None
    assert (after.state, after.reason, after.version) == (NotificationState.FAILED, Reason.DROPPED, 2)
    assert after.state in STEPS[held.state]


def test_one_that_had_failed_keeps_its_reason_when_it_is_dropped() -> None:
    assert dropped(notification(state=NotificationState.FAILED, reason=Reason.REFUSED)) is None


def test_g5_what_arrived_is_accepted_and_what_did_not_goes_on_to_the_next_channel() -> None:
    arrived, lost = (found_out(unknown(), NOW, arrived=found) for found in (True, False))

    assert arrived is not None
    assert lost is not None
    assert (arrived.state, arrived.reason, arrived.accepted_at) == (NotificationState.ACCEPTED, None, NOW)
    assert lost.state is NotificationState.QUEUED
    assert [(step.channel, step.reason) for step in lost.steps] == [(Channel.SMS, Reason.UNDELIVERED)]


def test_after_its_deadline_what_did_not_arrive_has_failed() -> None:
    late = found_out(unknown(not_after=NOW - timedelta(minutes=1)), NOW, arrived=False)

    assert late is not None
    assert (late.state, late.reason) == (NotificationState.FAILED, Reason.UNDELIVERED)


def test_only_an_unknown_outcome_can_be_found_out() -> None:
    failed = notification(state=NotificationState.FAILED, reason=Reason.REFUSED, attempt_id=NOTIFICATION)
    assert [found_out(failed, NOW, arrived=found) for found in (True, False)] == [None, None]


def test_g5_sent_again_it_is_a_new_message_whose_id_follows_from_the_old_one() -> None:
    held = notification(state=NotificationState.FAILED, reason=Reason.REFUSED)

    first, second = again(held, NOW), again(held, NOW + timedelta(hours=1))

    assert first.notification_id == second.notification_id != held.notification_id
    assert (first.ordinal, first.caused_by) == (1, str(held.notification_id))


def test_a_place_in_the_list_is_read_back_and_nothing_else_is() -> None:
    place = Cursor(NOW, NOTIFICATION)

    assert Cursor.read(place.text()) == place
    for text in (
        "",
        "x",
        "ä",
        place.text()[:-4],
        Cursor(NOW.replace(year=9999, month=12, day=31), NOTIFICATION).text(),
    ):
        with pytest.raises(BadCursor):
            Cursor.read(text)
