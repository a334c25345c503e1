"""Patients, clinics and providers as booking holds them."""

from dataclasses import dataclass, field, fields, replace
from datetime import datetime, time
from uuid import UUID

from booking.domain.commands import PersonDetails
from booking.domain.policies import DEFAULT_HOURS, OwnPolicy
from booking.values import contacts, texts
from schemas.appointments import Bar, ReminderPolicy, ReminderRule, SendWindow
from schemas.planning import barred_by
from schemas.wire import encode

OPENS, CLOSES = time(7), time(21)
"""Default window for messages to patients (D16)."""


_DETAILS = tuple(detail.name for detail in fields(PersonDetails))

PATIENT_FLAGS = ("consent", "do_not_contact", "deceased")
"""Fields of a patient that change only when they are named (D51)."""


@dataclass(frozen=True, slots=True)
class PatientState:
    """A patient. Version 0: only mentioned by a booking, never registered; then there is no main file (D5).

    Attributes:
        merged_into: The same person's other file, which is kept (D44).
    """

    patient_id: UUID
    version: int = 0
    main_file: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    language: str | None = None
    mobile: str | None = None
    email: str | None = None
    consent: bool = True
    do_not_contact: bool = False
    deceased: bool = False
    merged_into: UUID | None = None

    @property
    def barred(self) -> Bar | None:
        """Why no message may go to him (D44), or None."""
        return barred_by(deceased=self.deceased, do_not_contact=self.do_not_contact, consent=self.consent)

    @property
    def is_registered(self) -> bool:
        """Whether the patient was ever registered."""
        return self.version > 0


@dataclass(frozen=True, slots=True)
class ClinicState:
    """A clinic with the policies that its appointments carry.

    Attributes:
        policies: Those that somebody set, of the clinic and of service types, given up or not; the default where there
            is none.
        policy: The clinic's, for every service type without its own.
    """

    clinic_id: str
    version: int
    name: str
    zone: str
    country: str
    created_at: datetime
    languages: tuple[str, ...] = ("en",)
    sensitive: bool = False
    window_opens: time = OPENS
    window_closes: time = CLOSES
    policies: tuple[OwnPolicy, ...] = ()
    policy: ReminderPolicy = field(init=False, compare=False, repr=False)
    _in_force: dict[str | None, ReminderPolicy] = field(init=False, compare=False, repr=False)
    _stamps: dict[str | None, bytes] = field(init=False, compare=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        window = SendWindow(opens=self.window_opens, closes=self.window_closes)
        in_force: dict[str | None, ReminderPolicy] = {
            own.service_type: ReminderPolicy(policy_id=own.policy_id, rules=own.rules, window=window)
            for own in self.policies
            if own.given_up_at is None
        }
        if None not in in_force:
            in_force[None] = default_policy(self, window)
        clinics = in_force[None]
        for given_up in (own for own in self.policies if own.given_up_at is not None):
            rules = given_up.instead(clinics.rules)
            in_force[given_up.service_type] = clinics.model_copy(update={"rules": rules})
        object.__setattr__(self, "_in_force", in_force)
        object.__setattr__(self, "policy", in_force[None])

    @property
    def own_services(self) -> tuple[str, ...]:
        """The service types that have rules of their own."""
        return tuple(own.service_type for own in self.policies if own.service_type and own.given_up_at is None)

    def policy_for(self, service_type: str | None) -> ReminderPolicy:
        """Return the policy in force for a service type: its own, else the clinic's (D13)."""
        return self._in_force.get(service_type, self.policy)

    def stamp(self, service_type: str | None) -> bytes:
        """Return that policy as every snapshot carries it: JSON, made once for as long as this clinic is held."""
        key = service_type if service_type in self._in_force else None
        if key not in self._stamps:
            self._stamps[key] = encode(self._in_force[key])
        return self._stamps[key]


def default_policy(clinic: ClinicState, window: SendWindow) -> ReminderPolicy:
    """Return the reminder rules of a clinic that set none: 24 hours and 2 hours before (R10, D13)."""
    rules = tuple(
        ReminderRule(slug=f"{hours}h", lead_hours=hours, in_force_since=clinic.created_at) for hours in DEFAULT_HOURS
    )
    return ReminderPolicy(policy_id=f"{clinic.clinic_id}/default", rules=rules, window=window)


def read_by(person: PersonDetails, country: str) -> PersonDetails:
    """Return what a message says of a patient, as it is kept.

    Args:
        person: As the message has it.
        country: By which national phone numbers are read.

    Raises:
        Refused: A name or a contact is not acceptable; nothing of the message is then.
    """

    def text(value: str | None, place: str) -> str | None:
        return None if value is None else texts.name(value, place)

    return replace(
        person,
        given_name=text(person.given_name, "patient.given"),
        family_name=text(person.family_name, "patient.family"),
        language=text(person.language, "patient.language"),
        mobile=None if person.mobile is None else contacts.mobile(person.mobile, country, "patient.phone"),
        email=None if person.email is None else contacts.email(person.email, "patient.email"),
    )


def completed(held: PatientState, person: PersonDetails) -> PatientState:
    """Return the patient with what a message says of him; what it does not say stays (D51)."""
    said = {name: getattr(person, name) for name in _DETAILS if getattr(person, name) is not None}
    return replace(held, **said)


def safer(kept: PatientState, away: PatientState) -> PatientState:
    """Return the patient who is kept with the safer value of each flag of two files that are one person's (D44)."""
    return replace(
        kept,
        consent=kept.consent and away.consent,
        do_not_contact=kept.do_not_contact or away.do_not_contact,
        deceased=kept.deceased or away.deceased,
    )
