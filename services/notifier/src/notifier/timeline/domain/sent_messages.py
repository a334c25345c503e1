"""The ledger's part of the timeline: messages, calls, closed steps, receipts, replies, a person's acts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from notifier.ledger.domain.plain_english import CHANNELS, DELIVERIES, NOT_ASKED, NOT_ON_THIS_CHANNEL, reason_words
from notifier.ledger.domain.states import NotificationState
from notifier.timeline.domain.entries import CARRIER, NOTIFIER, STAFF, Entry, wall
from notifier.timeline.domain.entries import PATIENT as THE_PATIENT
from notifier.values.kinds import KINDS, PATIENT, REBOOKED_WITHIN
from schemas.notifications import Channel, DeliveryState, Kind
from schemas.reminders import Reason

SHORT_ID = 13
"""As many characters of an id as people are shown."""


@dataclass(frozen=True, slots=True)
class CallFact:
    """One claim for a call to a carrier, in the order of `ordinal`; its outcome is None while it is under way.

    Attributes:
        visits: Of how many visits the call told.
        told_with: The message by which the carrier knows the call, if it is that of another visit.
    """

    attempt_id: str
    ordinal: int
    channel: Channel
    at: datetime
    outcome: str | None
    code: str | None
    gated_version: int
    preference_version: int | None = None
    visits: int = 1
    told_with: str | None = None

    @property
    def together(self) -> str:
        """That it told of other visits too, as a clause; empty if it did not."""
        if self.visits < 2:
            return ""
        sent_as = f", sent as {self.told_with[:SHORT_ID]}" if self.told_with else ""
        return f", in one message about {self.visits} visits{sent_as}"


@dataclass(frozen=True, slots=True)
class StepFact:
    """A channel that was closed for the message, and why."""

    channel: Channel
    reason: str


@dataclass(frozen=True, slots=True)
class MessageFact:
    """One message to one recipient, with its calls in order; `told_by`: what told the same, in words (`tellers.py`)."""

    notification_id: str
    kind: Kind
    recipient: str
    ordinal: int
    state: NotificationState
    channel: Channel | None
    reason: str | None
    delivery_state: DeliveryState
    created_at: datetime
    changed_at: datetime
    accepted_at: datetime | None
    not_after: datetime | None
    next_attempt_at: datetime
    caused_by: str
    reminder_id: str | None = None
    steps: tuple[StepFact, ...] = ()
    calls: tuple[CallFact, ...] = ()
    told_by: str = ""
    told_by_ids: Mapping[str, str] = field(default_factory=dict)

    @property
    def together(self) -> str:
        """That its last call told of other visits too, as a clause; empty if it did not."""
        return self.calls[-1].together if self.calls else ""

    @property
    def why(self) -> str:
        """Why it was not sent, as a clause, with what told the same."""
        return self.refused_for(None, self.reason) + (f": {self.told_by}" if self.told_by else "")

    def refused_for(self, channel: Channel | None, reason: str | None) -> str:
        """Return why it is given up, on a channel or at all, as a clause: a carrier that was not asked refused nothing.

        Args:
            channel: None: the one of the last call.
        """
        calls = [call for call in self.calls if channel in {None, call.channel}]
        code = calls[-1].code if calls and reason == Reason.REFUSED else None
        return NOT_ASKED.get(code or "") or reason_words(reason, self.kind)

    @property
    def name(self) -> str:
        """What staff call it."""
        return KINDS[self.kind].words + (" (sent again by a person)" if self.ordinal else "")


@dataclass(frozen=True, slots=True)
class ReceiptFact:
    """What a carrier reported afterwards about one call."""

    at: datetime
    channel: Channel
    reported: str
    code: str | None
    attempt_id: str
    notification_id: str


@dataclass(frozen=True, slots=True)
class ReplyFact:
    """What came back from the patient; never its words."""

    at: datetime
    channel: Channel
    understood_as: str
    reply_id: str


@dataclass(frozen=True, slots=True)
class OptOutFact:
    """From now on the patient wants no more messages of a category on a channel, or wants them again (D36)."""

    at: datetime
    channel: Channel
    category: str
    stopped: bool
    caused_by: str | None = None


@dataclass(frozen=True, slots=True)
class ActFact:
    """What a person did with a message on the work list."""

    at: datetime
    action: str
    arrived: bool | None
    resent_as: str | None
    acted_by: str
    notification_id: str


def of_messages(messages: Iterable[MessageFact], zone: ZoneInfo, *, held: bool = False) -> list[Entry]:
    """Return the entries of every message: asked for, each closed step, each call, and how it ended.

    Args:
        held: Nothing leaves to patients now.
    """
    told = []
    for one in messages:
        told.append(_asked(one, zone))
        told += [_step(one, step, 100 + nth) for nth, step in enumerate(one.steps)]
        begun = [call for call in one.calls if call.outcome != NOT_STARTED]
        told += [_call(one, call, nth) for nth, call in enumerate(begun, 1)]
        told += [_given_back(one, call) for call in one.calls if call.outcome == NOT_STARTED]
        told += _ending(one, zone, held=held and one.recipient == PATIENT)
    return told


def _asked(one: MessageFact, zone: ZoneInfo) -> Entry:
    until = f", until {wall(one.not_after, zone)}" if one.not_after else ""
    text = f"{one.name} to be sent{until}"
    return Entry(one.created_at, NOTIFIER, "message.asked", text, None, one.caused_by, _ids(one))


def _step(one: MessageFact, step: StepFact, nth: int) -> Entry:
    """Return the closed step, dated by the last call on that channel, else by the first call on another."""
    own = [call.at for call in one.calls if call.channel is step.channel]
    later = [call.at for call in one.calls if call.channel is not step.channel]
    at = max(own) if own else min(later) if later else one.changed_at
    why = NOT_ON_THIS_CHANNEL if step.reason == Reason.NO_CONTACT else one.refused_for(step.channel, step.reason)
    text = f"{one.name}: not by {CHANNELS[step.channel]}, {why}"
    return Entry(at, NOTIFIER, "step.closed", text, step.reason, one.caused_by, _ids(one, step.channel), nth)


NOT_STARTED = "not-started"
"""Outcome of a claim that was given back before its call began: it is no attempt."""

_CALLS = {
    "accepted": "the carrier accepted it",
    "rejected": "the carrier refused it for good",
    "not-accepted": "the carrier refused it for now",
    "unknown": "no readable answer: the carrier may have it",
}


def _call(one: MessageFact, call: CallFact, nth: int) -> Entry:
    """Return the entry of the message's `nth` call, from 1."""
    answer = NOT_ASKED.get(call.code or "") or _CALLS.get(call.outcome or "", "under way")
    text = f"{one.name} by {CHANNELS[call.channel]}, attempt {nth}: {answer}{call.together}"
    ids = _ids(one, call.channel) | {"attempt_id": call.attempt_id, "gated_version": str(call.gated_version)}
    if call.told_with is not None:
        ids["told_with"] = call.told_with
    if call.preference_version is not None:
        ids["preference_version"] = str(call.preference_version)
    return Entry(call.at, CARRIER, f"call.{call.outcome or 'under-way'}", text, call.code, None, ids, call.ordinal)


def _given_back(one: MessageFact, call: CallFact) -> Entry:
    text = f"{one.name} by {CHANNELS[call.channel]}: no call was begun, the gate had to be asked again"
    ids = _ids(one, call.channel) | {"attempt_id": call.attempt_id, "gated_version": str(call.gated_version)}
    return Entry(call.at, NOTIFIER, f"call.{NOT_STARTED}", text, None, one.caused_by, ids, call.ordinal)


_FOR_ONE_MOVE = {
    Kind.CANCELLED: "in case the patient books another visit in its place",
    Kind.CONFIRMATION: "in case the patient's other visit is cancelled for this one",
}


def waits(one: MessageFact, zone: ZoneInfo) -> str:
    """Return until when a queued message waits, and why if it is for the visit's twin (D37), as a clause."""
    untouched = not one.calls and not one.steps and one.next_attempt_at == one.created_at + REBOOKED_WITHIN
    if untouched and (why := _FOR_ONE_MOVE.get(one.kind)):
        until = f"{wall(one.next_attempt_at, zone)}:{one.next_attempt_at:%S}"
        return f"waits until {until}, {why}: then both are told as one move"
    return f"waits until {wall(one.next_attempt_at, zone)} for the notifier to look at it again"


def _ending(one: MessageFact, zone: ZoneInfo, *, held: bool) -> list[Entry]:
    match one.state:
        case NotificationState.QUEUED:
            text = f"{one.name} {'waits: sending is held' if held else waits(one, zone)}"
        case NotificationState.SENDING:
            return []
        case NotificationState.ACCEPTED:
            if one.calls:
                return []
            text = f"{one.name} given in-app"
        case NotificationState.SKIPPED:
            text = f"{one.name} not sent: {one.why}"
        case NotificationState.FAILED:
            text = f"{one.name} failed: {one.refused_for(None, one.reason)}"
        case NotificationState.UNKNOWN:
            text = f"{one.name}: {reason_words(one.reason)}; a person or a receipt settles it"
    ids = {**_ids(one, one.channel), **(one.told_by_ids if one.state is NotificationState.SKIPPED else {})}
    what = "message.given" if one.state is NotificationState.ACCEPTED else f"message.{one.state.value}"
    return [Entry(one.changed_at, NOTIFIER, what, text, one.reason, one.caused_by, ids, 1_000)]


def _ids(one: MessageFact, channel: Channel | None = None) -> dict[str, str]:
    ids = {"notification_id": one.notification_id, "kind": one.kind.value, "recipient": one.recipient}
    return ids | ({"channel": channel.value} if channel else {})


def of_receipts(receipts: Iterable[ReceiptFact]) -> list[Entry]:
    """Return an entry for each report of a carrier."""
    told = []
    for nth, one in enumerate(receipts):
        known = one.reported in {state.value for state in DeliveryState}
        words = DELIVERIES[DeliveryState(one.reported)] if known else one.reported
        text = f"the {CHANNELS[one.channel]} carrier reports: {words or one.reported}"
        ids = {"attempt_id": one.attempt_id, "notification_id": one.notification_id, "channel": one.channel.value}
        told.append(Entry(one.at, CARRIER, f"receipt.{one.reported}", text, one.code, None, ids, 2_000 + nth))
    return told


def of_replies(replies: Iterable[ReplyFact]) -> list[Entry]:
    """Return an entry for each reply of the patient."""
    return [
        Entry(
            one.at, THE_PATIENT, f"reply.{one.understood_as}",
            f"the patient answered by {CHANNELS[one.channel]}; understood as {one.understood_as}",
            ids={"reply_id": one.reply_id, "channel": one.channel.value}, nth=nth,
        )
        for nth, one in enumerate(replies)
    ]  # fmt: skip


def of_opt_outs(opt_outs: Iterable[OptOutFact]) -> list[Entry]:
    """Return an entry for each opt-out of an address that was written to, and for each that was lifted."""
    told = []
    for nth, one in enumerate(opt_outs):
        what, did = ("opt-out.stored", "opted out of") if one.stopped else ("opt-out.lifted", "takes again")
        ids = {"channel": one.channel.value, "category": one.category}
        text = f"{did} {one.category} by {CHANNELS[one.channel]}"
        told.append(Entry(one.at, THE_PATIENT, what, text, None, one.caused_by, ids, 100 + nth))
    return told


def of_acts(acts: Iterable[ActFact]) -> list[Entry]:
    """Return an entry for each thing that a person did on the work list."""
    told = []
    for nth, one in enumerate(acts):
        text = {
            "resend": f"{one.acted_by} had it sent again",
            "drop": f"{one.acted_by} took it off the work list",
            "settle": f"{one.acted_by} found out that it {'arrived' if one.arrived else 'did not arrive'}",
        }[one.action]
        ids = {"notification_id": one.notification_id} | ({"resent_as": one.resent_as} if one.resent_as else {})
        told.append(Entry(one.at, STAFF, f"work-list.{one.action}", text, ids=ids, nth=nth))
    return told


def to_patient(messages: Iterable[MessageFact]) -> list[MessageFact]:
    """Return those that are for the patient, in the order in which they were asked for."""
    return sorted((one for one in messages if one.recipient == PATIENT), key=lambda one: one.created_at)
