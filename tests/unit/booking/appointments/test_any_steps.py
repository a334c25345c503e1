"""Any words of any sources, in any order and as often as they like: what R33 promises of the steps of a visit."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from booking.appointments.domain.batch import Batch, EventAnswer
from booking.appointments.domain.command import BookAppointment, SeenAtDesk
from booking.appointments.domain.known import Known, RecordedEvent
from booking.appointments.domain.state import AppointmentState, Result
from booking.appointments.domain.transitions import CAME, Actor, Step, step_of
from booking.appointments.domain.two_writers import said_last
from booking.appointments.look_up import with_doubtful_steps
from booking.door.domain import Client
from booking.no_shows.domain import not_attended
from booking.replies.domain import decide as answered
from booking.values.identity import Identity
from schemas.appointments import IngestMode, Status
from schemas.notifications import Channel
from schemas.replies import PatientReplied, ReplyAnswer
from tests.support.booking.builders import ALL_KNOWN, ANN, ENT, EYE, NOW, START, command

SOURCES = ("one", "two")
VISITS = ("v1", "v2")
IDS: dict[Identity, UUID] = {
    (source, visit): UUID(int=10 * i + j) for i, source in enumerate(SOURCES) for j, visit in enumerate(VISITS)
}
CLIENTS = {
    "plain": Client("plain", SOURCES),
    "corrects": Client("corrects", SOURCES, may_correct=True),
}
REQUESTS = frozenset({Status.PROPOSED, Status.PENDING, Status.WAITLIST})
OTHER_REFUSALS = frozenset({"SEQUENCE_CONFLICT", "START_REQUIRED"})

events = st.fixed_dictionaries(
    {
        "source": st.sampled_from(SOURCES),
        "appointment": st.sampled_from(VISITS),
        "client": st.sampled_from(sorted(CLIENTS)),
        "status": st.sampled_from(list(Status)),
        "reason": st.sampled_from([None, None, "typed in late"]),
        "sequence": st.sampled_from([None] * 8 + [1, 2, 3]),
        "mode": st.sampled_from([IngestMode.LIVE] * 4 + [IngestMode.BACKFILL]),
        "starts_at": st.sampled_from([START, START + timedelta(days=7)]),
    }
)


class AnySteps(RuleBasedStateMachine):
    """Two sources of two visits each, which are observed or enforced, and whoever else may write them."""

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[UUID, AppointmentState] = {}
        self.recorded: dict[tuple[str, str], RecordedEvent] = {}
        self.sent: list[BookAppointment] = []
        self.enforced: set[str] = set()
        self.now: datetime = NOW
        self.replies = 0

    def batch(self, *commands: BookAppointment) -> Batch:
        """Return a batch that knows what a look-up would have read for these commands."""
        known = Known(
            ids=IDS, held=dict(self.held), recorded_events=dict(self.recorded), clinics={"EYE": EYE, "ENT": ENT},
            clinic_ids={}, patients={(source, "ann"): ANN for source in SOURCES}, clients=CLIENTS,
            enforced=self.enforced & with_doubtful_steps(commands, IDS, self.held), acquaintances=ALL_KNOWN,
        )  # fmt: skip
        return Batch(known, self.now)

    def keep(self, batch: Batch) -> None:
        self.held |= batch.changed
        self.recorded |= batch.recorded_events

    @initialize(sources=st.sets(st.sampled_from(SOURCES)))
    def some_sources_are_enforced(self, sources: set[str]) -> None:
        self.enforced = sources

    @rule(given=st.lists(events, min_size=1, max_size=12))
    def upstream_says(self, given: list[dict[str, Any]]) -> None:
        made = [command(f"e{len(self.sent) + n}", **one) for n, one in enumerate(given)]
        self.sent += made
        batch = self.batch(*made)
        for one in made:
            key = IDS[one.source, one.appointment]
            before, left = batch.changed.get(key) or self.held.get(key), _written(batch)
            self.judge(one, before, batch.changed, batch.take(one), left == _written(batch))
        self.keep(batch)

    def judge(
        self,
        one: BookAppointment,
        before: AppointmentState | None,
        changed: dict[UUID, AppointmentState],
        answer: EventAnswer,
        nothing_is_written: bool,
    ) -> None:
        if before is not None and before.version == 0 and before.status is Status.CANCELLED:
            before = None  # it is not known as booked
        held = None if before is None else before.status
        own = None if before is None else said_last(before).said_status
        if answer.refusal is not None:
            assert nothing_is_written
            is_step = answer.refusal.code == "ILLEGAL_TRANSITION"
            assert is_step or answer.refusal.code in OTHER_REFUSALS
            if is_step:
                assert one.source in self.enforced
                assert self.step(before, one.status, held) is not Step.FACT
                assert self.step(before, one.status, own) not in {Step.ALLOWED, Step.FACT}
        elif answer.result is Result.APPLIED and one.source in self.enforced:
            after = changed[IDS[one.source, one.appointment]]
            by_held = self.step(before, after.status, held)
            by_own = self.step(before, said_last(after).said_status or after.status, own)
            takes_reason = Step.WITH_REASON in {by_held, by_own}
            is_correction = one.reason is not None and CLIENTS[one.client].may_correct and takes_reason
            assert by_own in {Step.ALLOWED, Step.FACT} or by_held is Step.FACT or is_correction
            if own is held:
                assert held is not Status.ENTERED_IN_ERROR or after.status is held
                assert held not in CAME or after.status not in REQUESTS

    def step(self, before: AppointmentState | None, to: Status, held: Status | None) -> Step:
        held_for = timedelta() if before is None or before.version == 0 else self.now - before.event_time
        return step_of(Actor.UPSTREAM, held, to, held_for)

    @rule(data=st.data())
    def the_same_comes_again(self, data: st.DataObject) -> None:
        if not self.sent:
            return
        again = data.draw(st.sampled_from(self.sent))
        batch = self.batch(again)
        was_taken = (again.client, again.key) in self.recorded
        left, answer = _written(batch), batch.take(again)
        if was_taken:
            assert answer.result is Result.REPEAT
            assert _written(batch) == left
        self.keep(batch)

    @rule(hours=st.sampled_from([1, 23, 25]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(source=st.sampled_from(SOURCES))
    def a_source_is_judged_otherwise(self, source: str) -> None:
        self.enforced ^= {source}

    @rule(key=st.sampled_from(sorted(IDS.values())), answer=st.sampled_from(list(ReplyAnswer)))
    def the_patient_answers(self, key: UUID, answer: ReplyAnswer) -> None:
        held = self.held.get(key)
        if held is None or held.version == 0:
            return
        self.replies += 1
        reply = PatientReplied(
            reply_id=UUID(int=self.replies), appointment_id=key, patient_id=ANN, clinic_id="EYE",
            schedule_gen=held.schedule_gen, answer=answer, channel=Channel.SMS, at=self.now,
        )  # fmt: skip
        done = answered(held, reply)
        if done.result is Result.APPLIED:
            assert step_of(Actor.PATIENT, held.status, done.state.status) is Step.ALLOWED
        self.held[key] = done.state

    @rule(key=st.sampled_from(sorted(IDS.values())))
    def nobody_comes(self, key: UUID) -> None:
        held = self.held.get(key)
        if held is not None and held.version and held.status is Status.BOOKED:
            self.held[key] = not_attended(held, "no-show/EYE/x", timedelta(minutes=30), self.now)

    @rule(name=st.sampled_from(sorted(IDS)), number=st.integers(0, 10**6))
    def the_desk_cancels(self, name: Identity, number: int) -> None:
        held = self.held.get(IDS[name])
        if held is None or held.version == 0:
            return
        seen = SeenAtDesk(held.starts_at)
        source, visit = name
        order = BookAppointment(
            "plain", f"desk-{number}", b"", source, visit, Status.CANCELLED, reason="Dr Who is ill", at_desk=seen
        )
        batch = self.batch(order)
        answer = batch.take(order)
        if answer.result is Result.APPLIED:
            assert step_of(Actor.DESK, held.status, Status.CANCELLED) is Step.ALLOWED
        self.keep(batch)


def _written(batch: Batch) -> tuple[Any, ...]:
    """Return all that a batch would write, as it is now."""
    lists = (list(batch.versions), list(batch.flags), list(batch.persons))
    return (*lists, dict(batch.changed), dict(batch.recorded_events), dict(batch.visits.given))


TestAnySteps = AnySteps.TestCase
TestAnySteps.settings = settings(max_examples=300, stateful_step_count=20, deadline=None)


def test_the_machine_reaches_what_it_judges() -> None:
    """A refusal, a fact, a correction: a machine that never came there would prove nothing."""
    machine = AnySteps()
    machine.enforced = {"one"}
    given: dict[str, Any] = {"source": "one", "appointment": "v1", "client": "corrects", "starts_at": START}
    machine.upstream_says([{**given, "status": Status.ARRIVED, "sequence": 1}])
    (taken,) = machine.recorded.values()
    assert [warned.code for warned in taken.warnings] == ["FACT_BEFORE_BOOKING"]
    back = {**given, "status": Status.BOOKED, "sequence": 2}
    newer = [command(key, **back, reason=reason) for key, reason in (("c", None), ("d", "no"))]
    refused, corrected = (machine.batch(one).take(one) for one in newer)
    assert refused.refusal is not None
    assert corrected.result is Result.APPLIED
