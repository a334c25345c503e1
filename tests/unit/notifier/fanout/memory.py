"""The notifier's tables and booking's gate in memory, and a visit that changes in them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from notifier.fanout.domain.gathering import Beside, Moved
from notifier.fanout.domain.news import WAITS, Twin
from notifier.fanout.domain.versions import Held, Kept, VisitReading
from notifier.fanout.handle.appointments import on_appointments
from notifier.fanout.handle.people import on_people
from notifier.gate.domain.decision import Send, Skip, decide
from notifier.gate.domain.facts import GateFacts, SendingModeName
from notifier.gate.domain.modes import SendingMode
from notifier.gate.domain.told import Said, Slot, owner_of
from notifier.gate.domain.visit import Person, Visit
from notifier.inbox.domain import DayList, InboxEntry
from notifier.ledger.domain.notification import Notification
from notifier.ledger.domain.settlement import telling
from notifier.ledger.domain.states import NotificationState
from notifier.ledger.view import see
from notifier.values.addresses import Address
from notifier.values.kinds import ENDS, LEVEL_KINDS
from schemas.appointments import IngestMode, Status
from schemas.notifications import Kind
from schemas.reminders import Reason
from tests.support.notifier.builders import NOW, visit

LIVE = SendingMode(SendingModeName.LIVE)
CLOSED = {Reason.APPOINTMENT_CANCELLED, Reason.SUPERSEDED, Reason.ALREADY_TOLD, Reason.NOT_SENDABLE}


@dataclass
class Memory:
    """One installation. `change` commits in booking and fans out; `leave` lets what is due leave, as a lane would."""

    visits: dict[UUID, Visit] = field(default_factory=dict)
    persons: dict[UUID, Person] = field(default_factory=dict)
    known_visits: dict[str, Kept] = field(default_factory=dict)
    ledger: dict[UUID, Notification] = field(default_factory=dict)
    inbox: list[InboxEntry] = field(default_factory=list)
    twin: list[Twin] = field(default_factory=list)
    turns: list[str] = field(default_factory=list)
    being_decided: set[str] = field(default_factory=set)
    now: datetime = NOW

    async def change(self, *, mode: IngestMode = IngestMode.LIVE, **changes: Any) -> None:
        """Commit the next version of the visit and read its event."""
        now = next(iter(self.visits.values()), None)
        after = replace(now, version=now.version + 1, **changes) if now else visit(**changes)
        self.visits[after.appointment_id] = after
        await self.read(after, mode)

    async def read(self, after: Visit, mode: IngestMode = IngestMode.LIVE) -> None:
        """Read the event of a version, once more if it was read before."""
        event = VisitReading(
            appointment_id=str(after.appointment_id), version=after.version, status=after.status,
            patient_id=str(after.patient_id), clinic_id=after.clinic_id,
            provider_id=str(after.provider_id) if after.provider_id else None,
            schedule_gen=after.schedule_gen, ingest_time=self.now, starts_at=after.starts_at, ends_at=after.ends_at,
            mode=mode,
        )  # fmt: skip
        await on_appointments(self, [event], LIVE, self.now)

    async def come(self, *people: UUID) -> None:
        """Read that somebody is registered, or has an address."""
        await on_people(self, [str(one) for one in people], LIVE, self.now)

    async def leave(self, after: timedelta = timedelta(minutes=2), *, outcome: str = "accepted") -> list[Kind]:
        """Let time pass and all that is due leave; return what was said to patients."""
        self.now += after
        due = [one for one in self.ledger.values() if one.state is NotificationState.QUEUED]
        told = []
        for one in sorted(due, key=lambda each: each.next_attempt_at):
            judged = await self.judged(one)
            self.ledger[one.notification_id] = judged
            if judged.state is NotificationState.SENDING:
                told.append(judged.kind)
                self.ledger[one.notification_id] = replace(
                    judged, state=NotificationState(outcome), accepted_at=self.now
                )
        return told

    async def judged(self, one: Notification) -> Notification:
        """Return a queued message as its lane leaves it."""
        seen = (await see(self, [one], self.now))[one.notification_id]
        decision = decide(one.asked, seen.visit, seen.facts, self.now)
        if isinstance(decision, Send) and seen.visit:
            return replace(telling(one, decision.kind, seen.visit, self.now), state=NotificationState.SENDING)
        return replace(
            one, state=NotificationState.SKIPPED, reason=decision.reason if isinstance(decision, Skip) else None
        )

    @property
    def open(self) -> list[Kind]:
        """What is queued for patients."""
        return [one.kind for one in self.ledger.values() if one.state is NotificationState.QUEUED]

    @property
    def notices(self) -> list[tuple[UUID | None, Kind]]:
        """What providers were told, in order."""
        return [(one.visit.provider_id, one.notification.kind) for one in self.inbox]

    async def gate(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, Visit]:
        return {one: self.visits[one] for one in appointment_ids if one in self.visits}

    async def people(self, patient_ids: Collection[UUID]) -> Mapping[UUID, Person]:
        return {one: self.persons[one] for one in patient_ids if one in self.persons}

    async def facts(
        self, asked: Sequence[Notification], visits: Mapping[UUID, Visit], now: datetime
    ) -> Mapping[UUID, GateFacts]:
        return {}

    async def said(self, appointment_ids: Collection[UUID]) -> Mapping[Slot, Sequence[Said]]:
        found: dict[Slot, list[Said]] = defaultdict(list)
        for one in sorted(self.ledger.values(), key=lambda each: each.said_at or NOW):
            tells = one.accepted_at or one.state in {NotificationState.UNKNOWN, NotificationState.SENDING}
            if (
                (tells or one.reason is Reason.BACKFILL)
                and one.appointment_id
                and one.kind not in {Kind.PROVIDER_ARRIVED, Kind.PROVIDER_NOT_CLEARED}
            ):
                said = Said(
                    one.notification_id, one.recipient_id, one.kind not in ENDS, one.said_starts_at, one.clinic_id,
                    one.schedule_gen, one.said_at or NOW, one.state is NotificationState.SENDING,
                    one.kind in LEVEL_KINDS, one.reason is not Reason.BACKFILL,
                )  # fmt: skip
                found[one.appointment_id, one.recipient].append(said)
                if one.replaces:
                    found[one.replaces, one.recipient].append(replace(said, stands=False, at_first_hand=False))
        return found

    async def held(self, appointment_ids: Collection[str]) -> Mapping[str, Held]:
        kept = {one: self.known_visits[one] for one in appointment_ids if one in self.known_visits}
        return {
            one: Held(
                each.visit.version, each.visit.status, each.visit.starts_at, each.visit.clinic_id,
                each.visit.patient_id, each.visit.provider_id, each.turned_at,
            )
            for one, each in kept.items()
        }  # fmt: skip

    async def keep(self, newest: Collection[Kept]) -> None:
        self.known_visits |= {one.visit.appointment_id: one for one in newest}

    async def beside(self, moves: Sequence[Moved]) -> Sequence[Beside]:
        return [
            Beside(one.appointment_id, UUID(key), kept.visit.starts_at)
            for one in moves
            for key, kept in self.known_visits.items()
            if kept.visit.patient_id == str(one.patient_id) and kept.visit.clinic_id == one.clinic_id
            if kept.visit.status is Status.BOOKED and UUID(key) != one.appointment_id
            if kept.visit.starts_at and abs(kept.visit.starts_at - one.stood_at) < timedelta(days=1)
        ]

    async def known(self, notification_ids: Collection[UUID]) -> Collection[UUID]:
        return self.ledger.keys() & set(notification_ids)

    async def insert(self, notifications: Sequence[Notification], now: datetime) -> None:
        assert not self.ledger.keys() & {one.notification_id for one in notifications}
        self.ledger |= {one.notification_id: one for one in notifications}

    async def write(self, notifications: Sequence[Notification], now: datetime) -> None:
        assert {one.notification_id for one in notifications} <= self.ledger.keys()
        self.ledger |= {one.notification_id: one for one in notifications}

    async def publish(self, notifications: Sequence[Notification], now: datetime) -> None:
        return

    async def deliver_in_app(self, entries: Sequence[InboxEntry | DayList], now: datetime) -> None:
        self.inbox += [one for one in entries if isinstance(one, InboxEntry)]

    async def open_news(self, appointment_ids: Collection[UUID]) -> Sequence[Notification]:
        return [
            one
            for one in self.ledger.values()
            if one.appointment_id in appointment_ids and one.kind in LEVEL_KINDS and _is_open(one)
        ]

    async def closed_news(self, notification_ids: Collection[UUID]) -> Sequence[Notification]:
        found = [self.ledger[one] for one in notification_ids if one in self.ledger]
        return [one for one in found if one.reason in CLOSED and not one.accepted_at and one.kind in LEVEL_KINDS]

    async def concerned(self, people: Collection[str], now: datetime) -> Collection[str]:
        return {one for one in people if one in self.being_decided or await self.waiting([one], now)}

    async def waiting_visits(self, people: Collection[str], now: datetime) -> Collection[UUID]:
        held = await self.waiting(people, now)
        return {one.appointment_id for one in held if one.appointment_id and one.kind in LEVEL_KINDS}

    async def waiting(self, people: Collection[str], now: datetime) -> Sequence[Notification]:
        return [
            one
            for one in self.ledger.values()
            if one.state is NotificationState.SKIPPED
            and str(one.recipient_id or self._owner(one)) in people
            and one.reason in WAITS
            and one.not_after
            and one.not_after > now
        ]

    def _owner(self, one: Notification) -> UUID | None:
        visit = self.visits.get(one.appointment_id) if one.appointment_id else None
        return owner_of(visit, one.recipient) if visit else None

    async def stopped_by(self, address: Address, now: datetime) -> Collection[str]:
        return set()

    async def twins(self, appointment_ids: Collection[UUID], within_s: float, now: datetime) -> Sequence[Twin]:
        return [one for one in self.twin if one.appointment_id in appointment_ids]

    async def take_turns(self, people: Collection[str]) -> None:
        self.turns += people


def _is_open(one: Notification) -> bool:
    return one.state is NotificationState.QUEUED or (one.state is NotificationState.SKIPPED and one.reason in WAITS)
