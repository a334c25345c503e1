"""What is still to come, as things stand: the gate's own decision, asked before its time."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from notifier.gate.domain.decision import Asked, Decision, decide
from notifier.gate.domain.facts import GateFacts, Told
from notifier.gate.domain.modes import SendingMode
from notifier.gate.domain.visit import Visit
from schemas.notifications import Kind


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing leaves to patients, because somebody chose so or because it is the notifier's setting.

    Attributes:
        clinic_id: Where; None: at every clinic without a mode of its own.
        since: Domain time; None with `by`: it is so by the setting.
    """

    clinic_id: str | None = None
    since: datetime | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """One message with what its gate would see now."""

    asked: Asked
    visit: Visit | None
    facts: GateFacts


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the gate sees of a visit's messages now.

    Attributes:
        now: Domain time.
        sending: The notifier's setting; what a clinic or a person chose is in the facts.
        reminder: A reminder that would leave now; of each that is still planned but its moment is known.
        queued: Messages that wait, by id.
    """

    now: datetime
    sending: SendingMode
    reminder: Standing
    queued: Mapping[str, Standing] = field(default_factory=dict)
    hold: Hold | None = None

    def of_message(self, notification_id: str, at: datetime) -> Decision | None:
        """Return what the gate would decide of a message that waits until `at`; None: it is not among them."""
        one = self.queued.get(notification_id)
        return self._decision(one, max(at, self.now)) if one else None

    def of_reminder(self, schedule_gen: int, due: datetime | None, not_after: datetime | None) -> Decision:
        """Return what the gate would decide of a planned reminder at its moment.

        Args:
            not_after: None where it is not known: then the start of the visit is taken for it.
        """
        visit, facts = self.reminder.visit, self.reminder.facts
        at = max(due or self.now, self.now)
        if visit and not _same_day(at, self.now, ZoneInfo(visit.zone)):
            facts = replace(facts, told=Told())  # what he was told today is not of that day's two (D18)
        asked = Asked(Kind.REMINDER, schedule_gen, not_after or (visit.starts_at if visit else None))
        return self._decision(Standing(asked, visit, facts), at)

    def _decision(self, one: Standing, at: datetime) -> Decision:
        return self.sending.at(one.facts.clinic).apply(decide(one.asked, one.visit, one.facts, at))


def _same_day(one: datetime, other: datetime, zone: ZoneInfo) -> bool:
    return one.astimezone(zone).date() == other.astimezone(zone).date()
