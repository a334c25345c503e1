"""Who is told what of one visit, on which channel: the rules as the requirements word them, and no code of theirs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from stack.demo.conditions import Conditions
from stack.demo.people import Patient
from stack.demo.reminder_rules import next_opening
from stack.demo.visits import OFF, Visit

NEWS = frozenset({"confirmation", "moved", "cancelled"})
CAPPED = frozenset({"reminder", "today", "no-show", "clearance-missing"})
MOST_A_DAY = 2
UNWORDED = ("clearance-missing", "whatsapp")
"""WhatsApp takes none until Meta approved a template for it, and nobody had one approved: the next channel does."""
LONG_LEAD, LONG_BUDGET, SHORT_BUDGET = timedelta(hours=12), timedelta(minutes=30), timedelta(minutes=10)
WAITS_FOR_A_BOOKING = timedelta(minutes=2)
WANTS = frozenset(
    {
        "UNKNOWN_PATIENT", "NO_CONTACT", "DECEASED", "DO_NOT_CONTACT", "NO_CONSENT", "OPTED_OUT", "CHANNELS_DISABLED",
    }
)  # fmt: skip
"""For want of whom, or because of what bar, a message waits until its deadline (D58)."""
FOLLOW_UP_WITHIN = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Asked:
    """One message before anything is known of its fate."""

    at: datetime
    kind: str
    generation: int
    not_after: datetime
    lead: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What became of it: accepted on a channel, or skipped or failed with a reason.

    Attributes:
        start: When the patient was told that the visit takes place; None: he was told that it does not.
    """

    at: datetime
    kind: str
    outcome: str
    why: str
    address: str = ""
    start: datetime | None = None


@dataclass
class Teller:
    """Tells one visit's patient, message after message, in the order of time.

    Attributes:
        before: Who tells of the visit in whose place this one is.
        busy_until: Until when its last news was on its way: it says what is so when it leaves.
    """

    visit: Visit
    patients: Mapping[str, Patient]
    registered: Mapping[str, datetime]
    conditions: Conditions
    before: "Teller | None" = None
    heard: list[Told] = field(default_factory=list)
    busy_until: datetime = field(default=datetime.min.replace(tzinfo=UTC))

    @property
    def person(self) -> Patient:
        """Whom it tells."""
        return self.patients[self.visit.history[0].patient]

    def tell(self, asked: Asked) -> Told:
        """Return what became of a message, and remember it if it was accepted."""
        told = self._tell(asked)
        if told.outcome == "accepted":
            self.heard.append(told)
        return told

    def told(self, at: datetime) -> Told | None:
        """Return what the patient was last told of the visit by an instant; None: nothing."""
        said = [one for one in self.heard if one.at <= at and one.kind != "no-show"]
        return said[-1] if said else None

    def news(self, at: datetime) -> str | None:
        """D58: what is so, less what he was told; None: he knows. A visit that has begun is no news."""
        told, now = self.told(at), self.visit.at(at)
        if now.status in OFF:
            return "cancelled" if told and told.start else None
        if now.status != "booked" or (told and told.start == now.start):
            return None
        if told is None:
            before = self.before.told(at) if self.before else None
            return "moved" if before and before.start not in {None, now.start} else "confirmation"
        soon = at - told.at <= WAITS_FOR_A_BOOKING
        return "moved" if told.start or (soon and self._stood_at(at) != now.start) else "confirmation"

    def _stood_at(self, at: datetime) -> datetime | None:
        """Return the last start of which the patient was told by an instant."""
        return next((one.start for one in reversed(self.heard) if one.at <= at and one.start), None)

    def reminded_since(self, instant: datetime) -> bool:
        """Say whether a reminder was accepted at or after an instant."""
        return any(one.kind == "reminder" and one.at >= instant for one in self.heard)

    def _tell(self, asked: Asked) -> Told:
        at, tried, wanted = asked.at, dict[str, str](), ""
        while True:
            if reason := self._bars(asked, at):
                if wanted and reason not in WANTS:
                    return Told(at, asked.kind, "skipped", wanted)
                if reason in WANTS and (comes := self._comes(asked, at)):
                    at, wanted = comes, reason
                    continue
                late = tried and reason in {"TOO_LATE", "PAST_VISIT"}
                return Told(at, asked.kind, "failed" if late else "skipped", "TOO_LATE" if late else reason)
            chain = _chain(asked.kind, self.conditions.as_of(self.person, at))
            if not chain:
                return Told(at, asked.kind, "skipped", "CHANNELS_DISABLED")
            closed: set[str] = set()
            opening: datetime | None = None
            for channel, address in chain:
                if channel in tried:
                    continue
                if why := self._closed(asked.kind, channel, address, at):
                    closed.add(why)
                    opens = next_opening(at, self.visit.at(at).zone)
                    opening = opens if why == "QUIET_HOURS" and opens <= self._deadline(asked, at) else opening
                    continue
                assert address is not None  # noqa: S101  # else it was closed
                if self.conditions.refuses(channel, address) or (asked.kind, channel) == UNWORDED:
                    tried[channel] = "REFUSED"
                    continue
                back = self.conditions.down_until(channel, at)
                if back and back > at + _budget(asked):
                    tried[channel] = "NOT_ACCEPTED"
                    continue
                then = back or at
                start = None if asked.kind == "cancelled" else self.visit.at(then).start
                return Told(then, self._as_sent(asked.kind, at), "accepted", channel, address, start)
            if opening:
                at = opening
            elif tried:
                return Told(at, asked.kind, "failed", list(tried.values())[-1])
            else:
                why = _strongest(closed)
                if why not in WANTS or not (comes := self._comes(asked, at)):
                    return Told(at, asked.kind, "skipped", why)
                at, wanted = comes, why

    def _bars(self, asked: Asked, at: datetime) -> str | None:
        """Return why nothing leaves at all: of the visit, the clinic, the person or the day (in this order)."""
        now = self.visit.at(at)
        if asked.kind == "cancelled":
            if now.status not in OFF:
                return "SUPERSEDED" if now.status == "booked" else "NOT_SENDABLE"
        elif now.status != ("noshow" if asked.kind == "no-show" else "booked"):
            return "APPOINTMENT_CANCELLED" if now.status in {"cancelled", "entered-in-error"} else "NOT_SENDABLE"
        if asked.kind in NEWS and self.news(at) is None:
            return "ALREADY_TOLD" if self.told(at) else "NOT_SENDABLE"
        if asked.kind in {"reminder", "no-show", "clearance-missing"} and self.visit.generation(at) != asked.generation:
            return "RESCHEDULED"
        deadline = self._deadline(asked, at)
        if asked.kind in NEWS and deadline <= at:
            return "PAST_VISIT"
        if asked.kind not in NEWS and at > deadline:
            return "TOO_LATE"
        if asked.kind == "no-show" and now.clinic not in self.conditions.follow_up:
            return "NOT_WANTED"
        return self._personal_bar(at) or self._cap(asked.kind, now.zone, at)

    def _personal_bar(self, at: datetime) -> str | None:
        since = self.registered.get(self.person.id)
        known = self.person.registered or (since is not None and since <= at)
        return self.person.barred if known else "UNKNOWN_PATIENT"

    def _cap(self, kind: str, zone: str, at: datetime) -> str | None:
        day = at.astimezone(ZoneInfo(zone)).date()
        today = sum(one.at.astimezone(ZoneInfo(zone)).date() == day for one in self.heard)
        return "LIMIT" if kind in CAPPED and today >= MOST_A_DAY else None

    def _closed(self, kind: str, channel: str, address: str | None, at: datetime) -> str | None:
        if address is None:
            return "NO_CONTACT"
        if channel != "email" and self.conditions.stopped(address, at):
            return "OPTED_OUT"
        bound = not (kind in NEWS and channel == "email")
        zone = self.visit.at(at).zone
        return "QUIET_HOURS" if bound and next_opening(at, zone) != at else None

    def _comes(self, asked: Asked, at: datetime) -> datetime | None:
        """Return when its patient is registered, or of news the visit changes next: what waits is looked at again."""
        registered = self.registered.get(self.person.id)
        changes = [change.at for change in self.visit.history] if asked.kind in NEWS else []
        later = [one for one in (registered, *changes) if one and one > at]
        return min(later, default=None)

    def _deadline(self, asked: Asked, at: datetime) -> datetime:
        told = self.told(at) if asked.kind == "cancelled" else None
        start = (told and told.start) or self.visit.at(at).start
        if asked.kind in NEWS:
            return start
        return min(asked.not_after, start) if asked.kind == "today" else asked.not_after

    def _as_sent(self, kind: str, at: datetime) -> str:
        return (self.news(at) or kind) if kind in NEWS else kind


def _chain(kind: str, person: Patient) -> list[tuple[str, str | None]]:
    """R23, D30, D34: WhatsApp, SMS, email of those left on; SMS, then email if nothing was said; news by email."""
    told = person.preferences
    chain = [
        (name, address)
        for enabled, name, address in (
            (bool(told and told.whatsapp), "whatsapp", person.mobile),
            (told is None or told.sms, "sms", person.mobile),
            (told is None or told.email, "email", person.email),
        )
        if enabled
    ]
    return sorted(chain, key=lambda step: step[0] != "email") if kind in NEWS else chain


def _budget(asked: Asked) -> timedelta:
    return SHORT_BUDGET if asked.lead is not None and asked.lead < LONG_LEAD else LONG_BUDGET


def _strongest(closed: set[str]) -> str:
    return next((reason for reason in ("QUIET_HOURS", "OPTED_OUT", "NO_CONTACT") if reason in closed), "NO_CONTACT")
