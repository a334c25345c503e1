"""B1: everything decided about a visit, in the order of time, and the answer in one line."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from chassis.process.errors import Unavailable
from notifier.ledger.domain.plain_english import CHANNELS, DELIVERIES, REASONS
from notifier.ledger.domain.states import NotificationState
from notifier.timeline.domain.answer import answer
from notifier.timeline.domain.entries import (
    Entry,
    ReminderFact,
    ReminderStage,
    SubFileFact,
    VersionFact,
    merge,
    of_reminders,
    of_sub_files,
    of_versions,
)
from notifier.timeline.domain.sent_messages import CallFact, MessageFact, StepFact, of_messages
from notifier.timeline.handle import Booked, Missing, OwnFacts, UnknownAppointment, tell
from notifier.values.kinds import KINDS, REBOOKED_WITHIN
from schemas.notifications import Channel, DeliveryState, Kind
from schemas.reminders import Reason

LONDON = ZoneInfo("Europe/London")
APPOINTMENT = UUID("01890000-0000-7000-8000-000000000001")
NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
STARTS = NOW + timedelta(days=2)
HOUR = timedelta(hours=1)


def version(number: int = 1, **changes: Any) -> VersionFact:
    booked = VersionFact(
        number, "booked", False, "live", "NORTH", None, STARTS, 1, "NORTH/default", NOW, "emr", f"v{number}", None
    )
    return replace(booked, **changes)


def message(**changes: Any) -> MessageFact:
    queued = MessageFact(
        "n-1", Kind.CONFIRMATION, "patient", 0, NotificationState.QUEUED, Channel.EMAIL, None, DeliveryState.UNKNOWN,
        NOW, NOW, None, STARTS, NOW, "v1",
    )  # fmt: skip
    return replace(queued, **changes)


def call(ordinal: int = 1, **changes: Any) -> CallFact:
    return replace(CallFact(f"t-{ordinal}", ordinal, Channel.EMAIL, NOW, "accepted", None, 1), **changes)


def reminder(*statuses: tuple[str, str | None], **changes: Any) -> ReminderFact:
    stages = tuple(
        ReminderStage(NOW + nth * HOUR, status, reason, status == "SENT", None, None, "v1")
        for nth, (status, reason) in enumerate(statuses)
    )
    return replace(ReminderFact("r-1", "24h", 1, STARTS - 24 * HOUR, stages), **changes)


def accepted(**changes: Any) -> MessageFact:
    return message(state=NotificationState.ACCEPTED, accepted_at=NOW, calls=(call(),), **changes)


def words(entries: Sequence[Entry]) -> list[str]:
    return [entry.what for entry in entries]


@pytest.mark.parametrize(
    ("after", "what"),
    [
        (version(2, status="cancelled"), "visit.cancelled"),
        (version(2, starts_at=STARTS + HOUR), "visit.moved"),
        (version(2, clinic_id="SOUTH"), "visit.moved"),
        (version(2, confirmed=True), "visit.confirmed"),
        (version(2, patient_id="p-2"), "visit.patient-changed"),
        (version(2, provider_id="p"), "visit.provider-changed"),
        (version(2, policy_id="NORTH/1"), "visit.policy-changed"),
        (version(2, barred="DECEASED", policy_id="NORTH/1"), "visit.barred"),
        (version(2), "visit.changed"),
    ],
)
def test_b1_a_version_is_told_by_what_it_changed(after: VersionFact, what: str) -> None:
    assert words(of_versions([version(), after], LONDON)) == ["visit.booked", what]


def test_d44_b1_a_version_says_why_no_message_may_go_to_the_patient_and_that_one_may_again() -> None:
    history = [version(), version(2, barred="DO_NOT_CONTACT"), version(3)]

    [_, barred, lifted] = of_versions(history, LONDON)

    assert barred.text == "no message may go to the patient: the patient is not to be contacted"
    assert (lifted.what, lifted.text) == ("visit.unbarred", "messages may go to the patient again")


def test_b1_what_an_upstream_said_is_the_reason_and_the_cause_is_kept() -> None:
    [_, cancelled] = of_versions([version(), version(2, status="cancelled", reason="patient ill")], LONDON)

    assert cancelled.reason == "patient ill"
    assert cancelled.text == "cancelled; it was booked; emr says: patient ill"
    assert cancelled.caused_by == "v2"


def test_b1_of_one_instant_the_cause_comes_before_its_effects() -> None:
    merged = merge(
        (
            of_messages([accepted()], LONDON),
            of_reminders([reminder(("SCHEDULED", None))], LONDON),
            of_sub_files([SubFileFact("s-1", "ACTIVE", "FILE-2027-000001-NORTH-01", NOW, own=True)]),
            of_versions([version()], LONDON),
        )
    )

    assert words(merged) == [
        "visit.booked", "sub-file.active", "reminder.planned", "message.asked", "call.accepted",
    ]  # fmt: skip


def test_r25_an_attempt_that_staff_see_is_a_call_that_was_begun() -> None:
    calls = (call(outcome="not-started"), call(2, outcome="not-accepted"), call(3, outcome="not-started"), call(4))

    told = of_messages([message(state=NotificationState.ACCEPTED, calls=calls)], LONDON)
    by = [(entry.source, entry.what, entry.text) for entry in merge([told]) if entry.what.startswith("call.")]

    assert sorted(by) == [
        ("carrier", "call.accepted", "confirmation by email, attempt 2: the carrier accepted it"),
        ("carrier", "call.not-accepted", "confirmation by email, attempt 1: the carrier refused it for now"),
        *[("notifier", "call.not-started",
           "confirmation by email: no call was begun, the gate had to be asked again")] * 2,
    ]  # fmt: skip


def test_b1_each_closed_step_of_a_chain_is_told_with_its_reason_where_it_happened() -> None:
    later = NOW + HOUR
    fallen_back = message(
        kind=Kind.REMINDER, state=NotificationState.ACCEPTED, channel=Channel.SMS, changed_at=later,
        steps=(StepFact(Channel.WHATSAPP, "OPTED_OUT"), StepFact(Channel.EMAIL, "REFUSED")),
        calls=(call(outcome="rejected", code="550"), call(2, channel=Channel.SMS, at=later)),
    )  # fmt: skip

    told = merge([of_messages([fallen_back], LONDON)])

    assert [(entry.what, entry.reason) for entry in told] == [
        ("message.asked", None), ("step.closed", "OPTED_OUT"), ("step.closed", "REFUSED"), ("call.rejected", "550"),
        ("call.accepted", None),
    ]  # fmt: skip


def test_r34_b1_a_carrier_that_was_not_asked_refused_nothing() -> None:
    unworded = (call(outcome="rejected", code="NO_TEMPLATE", channel=Channel.WHATSAPP),)
    fallen_back = message(
        kind=Kind.CLEARANCE_MISSING, state=NotificationState.ACCEPTED, channel=Channel.SMS,
        steps=(StepFact(Channel.WHATSAPP, "REFUSED"),), calls=(*unworded, call(2, channel=Channel.SMS)),
    )  # fmt: skip
    failed = message(
        kind=Kind.CLEARANCE_MISSING, state=NotificationState.FAILED, channel=Channel.WHATSAPP, reason="REFUSED",
        calls=unworded,
    )  # fmt: skip
    why = "no template for it is approved, so the carrier was not asked"
    name = KINDS[Kind.CLEARANCE_MISSING].words

    told = {entry.what: entry.text for entry in merge([of_messages([fallen_back, failed], LONDON)])}

    assert told["step.closed"] == f"{name}: not by WhatsApp, {why}"
    assert told["call.rejected"] == f"{name} by WhatsApp, attempt 1: {why}"
    assert told["message.failed"] == f"{name} failed: {why}"
    assert answer([failed], [], [], [], LONDON).did_not_get == (f"{name} ({why})",)
    broken = replace(failed, calls=(call(outcome="rejected", code="131026", channel=Channel.WHATSAPP),))
    assert of_messages([broken], LONDON)[-1].text == f"{name} failed: the carrier refused it for good"


def test_b1_a_skip_says_why_in_words_and_by_its_code() -> None:
    skipped = message(state=NotificationState.SKIPPED, channel=None, reason="NO_CONTACT")

    last = of_messages([skipped], LONDON)[-1]

    assert (last.what, last.reason) == ("message.skipped", "NO_CONTACT")
    assert "no mobile number and no email address" in last.text


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (Kind.CANCELLED, "in case the patient books another visit in its place"),
        (Kind.CONFIRMATION, "in case the patient's other visit is cancelled for this one"),
    ],
)
def test_d37_b1_a_message_that_waits_for_the_visits_twin_says_so_and_until_which_second(kind: Kind, why: str) -> None:
    asked = NOW + timedelta(seconds=7)
    waits = message(kind=kind, created_at=asked, next_attempt_at=asked + REBOOKED_WITHIN)

    told = of_messages([waits], LONDON)[-1].text

    assert told.endswith(f" waits until 2027-03-01 09:02:07, {why}: then both are told as one move")


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": Kind.MOVED, "next_attempt_at": NOW + REBOOKED_WITHIN},
        {"next_attempt_at": NOW + HOUR},
        {"next_attempt_at": NOW + REBOOKED_WITHIN, "calls": (call(outcome="not-accepted"),)},
        {"next_attempt_at": NOW + REBOOKED_WITHIN, "steps": (StepFact(Channel.WHATSAPP, "OPTED_OUT"),)},
    ],
)
def test_b1_a_message_that_waits_for_anything_else_does_not_say_that_it_waits_for_a_twin(
    changes: dict[str, Any],
) -> None:
    assert " for the notifier to look at it again" in of_messages([message(**changes)], LONDON)[-1].text


def test_b1_a_reminder_is_told_from_plan_to_end() -> None:
    stages = reminder(("SCHEDULED", None), ("SCHEDULED", None), ("SENT", None)).stages
    handed_over = replace(stages[1], handed_over=True)

    told = of_reminders([replace(reminder(), stages=(stages[0], handed_over, stages[2]))], LONDON)

    assert words(told) == ["reminder.planned", "reminder.handed-over", "reminder.sent"]


def test_b1_every_reason_kind_channel_and_delivery_has_words_for_people() -> None:
    assert set(REASONS) == set(Reason)
    assert set(KINDS) == set(Kind)
    assert set(CHANNELS) == set(Channel)
    assert set(DELIVERIES) == set(DeliveryState)


def test_b1_the_answer_names_what_the_patient_got_and_what_is_still_to_come() -> None:
    due = reminder(("SCHEDULED", None))

    told = answer([accepted()], [due], [version()], [], LONDON)

    got = "confirmation by email at 2027-03-01 09:00, the carrier took it and has not said whether it arrived"
    assert told.got == (got,)
    assert told.to_come == ("reminder 24h at 2027-03-02 09:00",)
    assert told.text.startswith(f"The patient got: {got}. Still to come: reminder")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"next_attempt_at": NOW + HOUR},
            "confirmation, which waits until 2027-03-01 10:00 for the notifier to look at it again",
        ),
        (
            {"next_attempt_at": NOW + REBOOKED_WITHIN},
            "confirmation, which waits until 2027-03-01 09:02:00, in case the patient's other visit is cancelled "
            "for this one: then both are told as one move",
        ),
        ({"state": NotificationState.SENDING}, "confirmation, which is being sent"),
    ],
)
def test_b1_what_is_still_to_come_is_said_in_whole_words(changes: dict[str, Any], expected: str) -> None:
    told = answer([message(**changes)], [], [version()], [], LONDON)

    assert told.to_come == (expected,)
    assert told.text == f"The patient got nothing so far. Still to come: {expected}."


def test_b1_the_answer_says_why_a_patient_got_nothing() -> None:
    skipped = message(state=NotificationState.SKIPPED, channel=None, reason="NO_CONTACT")
    cancelled = reminder(("CANCELLED", "DUE_IN_PAST"))

    told = answer([skipped], [cancelled], [version()], [], LONDON)

    assert told.got == ()
    assert told.text == (
        "The patient got nothing. Not sent: confirmation (there is no mobile number and no email address that can be "
        "used); reminder 24h (its moment was already past when the visit was booked or moved)."
    )


def test_d17_what_was_reported_as_not_delivered_is_nothing_that_he_got() -> None:
    told = answer([accepted(delivery_state=DeliveryState.UNDELIVERED)], [], [version()], [], LONDON)

    assert told.got == ()
    assert told.did_not_get == ("confirmation (reported as not delivered)",)


def test_g5_an_unknown_outcome_is_neither_got_nor_lost() -> None:
    told = answer([message(state=NotificationState.UNKNOWN, reason="OUTCOME_UNKNOWN")], [], [version()], [], LONDON)

    assert (told.got, told.may_have_got, told.did_not_get) == ((), ("confirmation by email",), ())


class Answering:
    """Parts that answer with what they are given; an error is raised."""

    def __init__(self, **facts: Any) -> None:
        self._facts = {"booked": Booked(), "sub_files": [], "reminders": [], "own": OwnFacts(), **facts}
        self.under_way = 0
        self.most = 0

    async def _give(self, name: str) -> Any:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        if isinstance(self._facts[name], Exception):
            raise self._facts[name]
        return self._facts[name]

    async def booked(self, appointment_id: UUID) -> Booked:
        return await self._give("booked")  # type: ignore[no-any-return]

    async def sub_files(self, appointment_id: UUID) -> Sequence[SubFileFact]:
        return await self._give("sub_files")  # type: ignore[no-any-return]

    async def reminders(self, appointment_id: UUID) -> Sequence[ReminderFact]:
        return await self._give("reminders")  # type: ignore[no-any-return]

    async def own(self, appointment_id: UUID) -> OwnFacts:
        return await self._give("own")  # type: ignore[no-any-return]


async def test_r40_a_part_that_does_not_answer_is_named_and_the_rest_is_told() -> None:
    parts = Answering(
        booked=Booked("emr", "a-1", "Europe/London", (version(),)),
        reminders=Unavailable("TIMEOUT", "slow"),
        own=OwnFacts(messages=(accepted(),)),
    )

    told = await tell(parts, APPOINTMENT)

    assert told.missing == (Missing("reminders", "TIMEOUT"),)
    assert words(told.entries) == ["visit.booked", "message.asked", "call.accepted"]
    assert told.answer.text.endswith("This may not be all: reminders did not answer.")
    assert parts.most == 4


async def test_r40_a_timeline_with_nobody_answering_is_still_an_answer() -> None:
    away = Unavailable("NO_ANSWER", "gone")

    told = await tell(Answering(booked=away, sub_files=away, reminders=away, own=away), APPOINTMENT)

    assert [one.service for one in told.missing] == ["booking", "notifier", "records", "reminders"]


async def test_b1_an_appointment_that_nobody_knows_is_said_to_be_unknown() -> None:
    with pytest.raises(UnknownAppointment):
        await tell(Answering(), APPOINTMENT)


def test_b1_an_instant_of_another_day_sorts_by_time_whatever_its_source() -> None:
    early = datetime(2027, 1, 1, tzinfo=LONDON)

    merged = merge([of_versions([version(at=NOW)], LONDON), of_messages([accepted(created_at=early)], LONDON)])

    assert merged[0].what == "message.asked"


def test_b1_a_call_about_several_visits_is_told_of_each_with_the_message_it_was() -> None:
    lead = accepted()
    other = replace(lead, calls=(call(visits=4, told_with="6f5f9eab-1aba-5000-8000-000000000001"),))
    lead = replace(lead, calls=(call(visits=4),))

    [of_lead], [of_other] = (
        [entry for entry in of_messages([one], LONDON) if entry.what == "call.accepted"] for one in (lead, other)
    )

    assert of_lead.text.endswith("the carrier accepted it, in one message about 4 visits")
    assert of_other.text.endswith("the carrier accepted it, in one message about 4 visits, sent as 6f5f9eab-1aba")
    assert of_other.ids["told_with"] == "6f5f9eab-1aba-5000-8000-000000000001"
    assert "in one message about 4 visits" in answer([other], [], [], [], LONDON).got[0]
    assert "in one message" not in answer([accepted()], [], [], [], LONDON).text
