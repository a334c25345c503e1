"""What a recipient was last told of a visit, against what is so now: the difference is what is to be said (D58).

| told | so now | patient | provider |
|---|---|---|---|
| nothing | stands | confirmation | provider-booked |
| stands | stands at another time or clinic | moved | provider-moved |
| stands | does not stand, or stands for somebody else | cancelled | provider-cancelled |
| does not stand | stands | confirmation; moved, if we told him just now, of another start | provider-booked |
| the same | the same | - | - |

*Stands* is booked. A visit that has begun (arrived, checked in, fulfilled, missed) is neither: nothing is said of it
here. Another room, service or provider is nothing new to the patient (D11).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from notifier.gate.domain.visit import NO_DETAILS, Person, Visit
from notifier.values.kinds import LEVELS, OFF, PATIENT, PROVIDER, REBOOKED_WITHIN
from schemas.appointments import Status
from schemas.notifications import Kind

type Slot = tuple[UUID, str]
"""(appointment, `patient` or `provider`)."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one message told, or may have told, its recipient of a visit.

    Attributes:
        by: The message.
        recipient_id: The patient or the provider; None: whoever it is now (of releases that did not keep it).
        starts_at: None: not kept; then `schedule_gen` says whether it was another time.
        under_way: Its call has not been answered yet. That is no proof that he knows what is so, and reason enough
            to take back what is not.
        is_news: It is one that brings him up to date, and will be tried again if it is refused for now.
        at_first_hand: He has it from us and of this visit itself: not from whoever kept the visits before, nor from
            news of another visit in its place.
    """

    by: UUID
    recipient_id: UUID | None
    stands: bool
    starts_at: datetime | None
    clinic_id: str | None
    schedule_gen: int
    at: datetime
    under_way: bool = False
    is_news: bool = False
    at_first_hand: bool = True


@dataclass(frozen=True, slots=True)
class View:
    """Visits as they are committed now, and what was said of them, in the order in which it was said.

    Attributes:
        people: Patients of whom something was said, or is to be, and who are not the visit's patient, by their ids.
    """

    visits: Mapping[UUID, Visit]
    said: Mapping[Slot, Sequence[Said]] = field(default_factory=dict)
    people: Mapping[UUID, Person] = field(default_factory=dict)

    def of(
        self, appointment_id: UUID, recipient: str, recipient_id: UUID | None, but: UUID | None = None
    ) -> Visit | None:
        """Return the visit as this recipient has to see it; None if booking does not know it, or him.

        One that is off is off at the time that he was told, and names no clinic that he was not told of; nor is that
        one's clock what he knows, so that the time names its zone.
        """
        visit = self.visits.get(appointment_id)
        if visit is None:
            return None
        said = self.last(appointment_id, recipient, recipient_id, but)
        if not self.is_his(visit, recipient, recipient_id):
            person = self.people.get(recipient_id) if recipient_id else None
            seen = _taken_from(visit, recipient, recipient_id, person, said)
        else:
            seen = visit
        if seen is not None and seen.status in OFF and said is not None and said.stands and said.starts_at:
            elsewhere = said.clinic_id not in {None, seen.clinic_id}
            hidden = seen.clinic_sensitive or elsewhere
            return replace(_at(seen, said.starts_at), clinic_sensitive=hidden, told_elsewhere=elsewhere)
        return seen

    def last(
        self, appointment_id: UUID | None, recipient: str, recipient_id: UUID | None, but: UUID | None = None
    ) -> Said | None:
        """Return what the recipient was last told of the visit, `but` by this message; None: nothing."""
        visit = self._standing(appointment_id, recipient, recipient_id)
        to_him = self._said_to(appointment_id, recipient, recipient_id, but)
        return next((said for said in to_him if visit is None or not _is_telling(said, visit)), None)

    def being_told(
        self, appointment_id: UUID | None, recipient: str, recipient_id: UUID | None, but: UUID | None = None
    ) -> Said | None:
        """Return what is under way to tell the recipient just what is so, `but` this message: its answer is awaited.

        News before others; None: the visit does not stand for him, or nothing is.
        """
        visit = self._standing(appointment_id, recipient, recipient_id)
        to_him = self._said_to(appointment_id, recipient, recipient_id, but)
        telling = [said for said in to_him if visit is not None and _is_telling(said, visit)]
        return max(telling, key=lambda said: said.is_news, default=None)

    def stood(
        self, appointment_id: UUID | None, patient_id: UUID | None, now: datetime, but: UUID | None = None
    ) -> Said | None:
        """Return what a patient was told of a visit, still ahead, that stands no more: another may be in its place.

        None: nothing, or it is past, or stands.
        """
        said = self.last(appointment_id, PATIENT, patient_id, but)
        seen = self.of(appointment_id, PATIENT, patient_id, but) if appointment_id else None
        ahead = seen is not None and seen.starts_at is not None and seen.starts_at > now
        over = ahead and seen is not None and seen.status in OFF
        return said if over and said is not None and said.stands else None

    def is_his(self, visit: Visit, recipient: str, recipient_id: UUID | None) -> bool:
        """Say whether the visit is this recipient's as it is now."""
        return recipient_id is None or self.kept_as(recipient_id) == owner_of(visit, recipient)

    def told_before(self, visit: Visit, recipient: str) -> Iterable[UUID]:
        """Return those who were told of the visit and whose it is no longer, each once."""
        said = self.said.get((visit.appointment_id, recipient), ())
        ids = dict.fromkeys(self.kept_as(one.recipient_id) for one in said)
        return [each for each in ids if each is not None and not self.is_his(visit, recipient, each)]

    def addressee(self, appointment_id: UUID | None, recipient: str, recipient_id: UUID | None) -> UUID | None:
        """Return which patient or provider a message is for; None: nobody is named."""
        visit = self.visits.get(appointment_id) if appointment_id else None
        return self.kept_as(recipient_id) or (owner_of(visit, recipient) if visit else None)

    def _standing(self, appointment_id: UUID | None, recipient: str, recipient_id: UUID | None) -> Visit | None:
        """Return the visit if it stands, and is this recipient's."""
        visit = self.visits.get(appointment_id) if appointment_id else None
        stands = visit is not None and visit.status is Status.BOOKED and self.is_his(visit, recipient, recipient_id)
        return visit if stands else None

    def _said_to(
        self, appointment_id: UUID | None, recipient: str, recipient_id: UUID | None, but: UUID | None
    ) -> Iterable[Said]:
        """Give what was said to him of the visit, the last first."""
        known = self.addressee(appointment_id, recipient, recipient_id)
        for said in reversed(self.said.get((appointment_id, recipient), ()) if appointment_id else ()):
            if said.by != but and self.kept_as(said.recipient_id) in {known, None}:
                yield said

    def kept_as(self, recipient_id: UUID | None) -> UUID | None:
        """Return the id under which a person goes now: of one who was merged away, the one he was merged into."""
        person = self.people.get(recipient_id) if recipient_id else None
        return person.patient_id if person else recipient_id


def difference(said: Said | None, visit: Visit, recipient: str, now: datetime) -> Kind | None:
    """Return what is to be said to a recipient of a visit as he has to see it; None: nothing."""
    stands, moved, ended = LEVELS[recipient]
    if visit.status in OFF:
        return ended if said is not None and said.stands else None
    if visit.status is not Status.BOOKED:
        return None
    if said is None:
        return stands
    if not said.stands:
        soon = recipient == PATIENT and said.at_first_hand and now - said.at <= REBOOKED_WITHIN
        return moved if soon and is_move(said, visit) else stands
    return moved if _elsewhere(said, visit) else None


def is_move(gone: Said, visit: Visit) -> bool:
    """Say whether a visit that stands is at another time or clinic than what he was told of and is gone."""
    return gone.starts_at is None or _elsewhere(gone, visit)


def owner_of(visit: Visit, recipient: str) -> UUID | None:
    """Return whose a visit is now, of its patients or providers."""
    return visit.patient_id if recipient == PATIENT else visit.provider_id


def _at(visit: Visit, starts_at: datetime) -> Visit:
    """Return the visit at another time, as long as it is."""
    lasts = visit.ends_at - visit.starts_at if visit.ends_at and visit.starts_at else None
    return replace(visit, starts_at=starts_at, ends_at=None if lasts is None else starts_at + lasts)


def _is_telling(said: Said, visit: Visit) -> bool:
    """Say whether it is under way to tell of a visit that stands just what is so: whether it arrives is to be seen."""
    return said.under_way and said.stands and not _elsewhere(said, visit)


def _elsewhere(said: Said, visit: Visit) -> bool:
    if said.starts_at is None:
        return said.schedule_gen < visit.schedule_gen
    return said.starts_at != visit.starts_at or said.clinic_id not in {None, visit.clinic_id}


def _taken_from(
    visit: Visit, recipient: str, recipient_id: UUID | None, person: Person | None, said: Said | None
) -> Visit | None:
    """Return the visit as he has to see it whose it was: to him it does not stand any more.

    He reads no clinic that he was not told of, and no details, which may be of a service that was not his.
    """
    gone = replace(visit, status=Status.CANCELLED if visit.status is Status.BOOKED else visit.status)
    if recipient == PROVIDER:
        return replace(gone, provider_id=recipient_id, provider_name=visit.provider_name or "")
    if person is None:
        return None
    elsewhere = said is not None and said.clinic_id not in {None, visit.clinic_id}
    hidden = visit.clinic_sensitive or elsewhere
    return replace(person.of(gone), clinic_sensitive=hidden, service_type=None, clinic_details=NO_DETAILS)
