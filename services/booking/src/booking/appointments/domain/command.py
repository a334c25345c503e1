"""What upstream systems ask for, whatever format they speak."""

from datetime import datetime
from typing import NamedTuple

from booking.check_ins.domain import CheckInAtDesk
from booking.patients.domain.details import PersonDetails
from booking.values.identity import Identity
from booking.values.unset import UNSET, Maybe
from booking.values.warned import Warned
from schemas.appointments import IngestMode, Status


class SeenAtDesk(NamedTuple):
    """What somebody saw of a visit who asks at our own door that it be changed; None: it had no time."""

    starts_at: datetime | None


class BookAppointment(NamedTuple):
    """One command about one appointment: book, move, cancel, arrive… by its status and times.

    A tuple, because thousands of them are made a second.

    Attributes:
        key: The client's idempotency key, or the upstream event's own id.
        body_sha256: Hash of the canonical body: the same key with another body is a conflict,
            unless the same was read in both.
        read_sha256: Hash of what was read in it; None: not known.
        source: The upstream system; ids are its own.
        appointment: The source's id of the appointment, by which it is shown if it is new.
        other_names: Further names that the message gives to it.
        patient_names: Further names that it gives to its patient, beside `patient`.
        provider_names: Further names that it gives to its provider, beside `provider`.
        status: FHIR's (D42).
        keeps: Statuses that a visit keeps which upstream itself last gave one of them; `status` is for all others.
        sequence: The upstream's order, if it gives one.
        occurred_at: When it last changed it, by its own clock; orders commands when there is no sequence.
        clinic_identifiers: (system, value) pairs that may stand for a clinic, best first.
        follows: It changes a visit, and makes none: where its first name is new, a further one says which visit.
        agrees: It does not contradict itself, in a format that may: what was held back of its visit is so no more.
        clinic_otherwise: The clinic's code where none of these is known; a visit that is known stays where it is.
        read_in: The zone by which its start was read, which only the clinic says where it lands if it names none: at a
            clinic of another zone it is refused.
        arrived_at: When it first came, if it could not be taken then and is now; None: now. Without an order of its own
            it stands there, before all that was taken since.
        arrived_offset: Where in its inbound topic it came; None: by another door. One batch has one instant.
        at_desk: A person at the clinic's desk asks for it, who looked at the visit; None: upstream says so. He is a
            writer beside upstream, and his words have no order among its own.
        check_in: So does whoever checks the patient in at our own door.
        person: Details by which an unregistered patient is registered, if the client holds that right.
        warnings: What its reader had to drop, or does not know.
    """

    client: str
    key: str
    body_sha256: bytes
    source: str
    appointment: str
    status: Status
    sequence: int | None = None
    occurred_at: datetime | None = None
    arrived_at: datetime | None = None
    arrived_offset: int | None = None
    mode: IngestMode = IngestMode.LIVE
    reason: str | None = None
    confirmed: Maybe[bool] = UNSET
    patient: str | None = None
    clinic: str | None = None
    clinic_identifiers: tuple[tuple[str, str], ...] = ()
    provider: Maybe[str | None] = UNSET
    provider_name: str | None = None
    service_type: Maybe[str | None] = UNSET
    starts_at: Maybe[datetime | None] = UNSET
    ends_at: Maybe[datetime | None] = UNSET
    person: PersonDetails | None = None
    other_names: tuple[str, ...] = ()
    patient_names: tuple[str, ...] = ()
    provider_names: tuple[str, ...] = ()
    warnings: tuple[Warned, ...] = ()
    read_sha256: bytes | None = None
    at_desk: SeenAtDesk | None = None
    check_in: CheckInAtDesk | None = None
    keeps: tuple[Status, ...] = ()
    clinic_otherwise: str | None = None
    follows: bool = False
    agrees: bool = False
    read_in: str | None = None

    @property
    def is_ours(self) -> bool:
        """Whether a person asks for it at our own door, beside upstream."""
        return self.at_desk is not None or self.check_in is not None

    @property
    def names(self) -> tuple[Identity, ...]:
        """The appointment's names upstream, the one by which it is shown first (D40)."""
        return (self.source, self.appointment), *((self.source, name) for name in self.other_names)

    @property
    def names_of_patient(self) -> tuple[Identity, ...]:
        """The patient's names upstream, if the message says whose it is; the first is believed (D53)."""
        return self._people(self.patient, self.patient_names)

    @property
    def names_of_provider(self) -> tuple[Identity, ...]:
        """The provider's names upstream, if the message says who it is; the first is believed (D53)."""
        return self._people(self.provider, self.provider_names)

    def _people(self, first: Maybe[str | None], others: tuple[str, ...]) -> tuple[Identity, ...]:
        if not isinstance(first, str):
            return ()
        return (self.source, first), *((self.source, name) for name in others)
