"""What the send gate tells of an appointment and of a person, and what a patient has said about channels."""

from dataclasses import dataclass, replace
from datetime import datetime, time
from uuid import UUID

from notifier.values.addresses import is_email, is_mobile
from schemas.appointments import Status
from schemas.people import ContactOf


@dataclass(frozen=True, slots=True)
class Details:
    """How a clinic is reached and a visit prepared, as booking holds it: each field empty if nothing is known.

    Attributes:
        phone: In E.164.
        address: One line.
        directions_url: Begins with `https://`.
        preparation: One line or several.
    """

    phone: str = ""
    address: str = ""
    directions_url: str = ""
    preparation: str = ""


NO_DETAILS = Details()


@dataclass(frozen=True, slots=True)
class Visit:
    """One row of `booking.send_gate` with `booking.clinic_gate`: the appointment and all about it, as committed.

    Attributes:
        registered: False for a patient whom booking knows only by a foreign id.
        clinic_sensitive: Messages must not say which clinic it is (D35).
        window_opens: Local time from which patients of the clinic may be messaged (D16), until `window_closes`.
        provider_name: None for a provider nobody registered (R21).
        clinic_country: ISO 3166, such as `GB`; None where it is not known.
        contact_of: Whose mobile and email are, if not the patient's own: he does not read it, and is not greeted.
        clinic_details: The service type's own, else the clinic's, field by field.
        held_back: Upstream contradicts itself, and nobody knows whether it stands: nothing is said of it for now.
        told_elsewhere: Its start was told of another clinic, by whose clock nobody knows here: a time names its zone.
    """

    appointment_id: UUID
    version: int
    status: Status
    schedule_gen: int
    starts_at: datetime | None
    ends_at: datetime | None
    zone: str
    service_type: str | None
    patient_id: UUID
    registered: bool
    given_name: str | None
    family_name: str | None
    language: str | None
    mobile: str | None
    email: str | None
    consent: bool
    do_not_contact: bool
    deceased: bool
    clinic_id: str
    clinic_name: str
    clinic_languages: tuple[str, ...]
    clinic_sensitive: bool
    window_opens: time
    window_closes: time
    provider_id: UUID | None
    provider_name: str | None
    clinic_country: str | None = None
    clinic_details: Details = NO_DETAILS
    contact_of: ContactOf | None = None
    held_back: bool = False
    told_elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """One row of `booking.person_gate`: a patient by himself. `patient_id`: of the one kept, if he was merged away."""

    patient_id: UUID
    registered: bool
    given_name: str | None
    family_name: str | None
    language: str | None
    mobile: str | None
    email: str | None
    consent: bool
    do_not_contact: bool
    deceased: bool
    contact_of: ContactOf | None = None

    def of(self, visit: Visit) -> Visit:
        """Return a visit as if it were this person's."""
        return replace(
            visit,
            patient_id=self.patient_id,
            registered=self.registered,
            given_name=self.given_name,
            family_name=self.family_name,
            language=self.language,
            mobile=self.mobile,
            email=self.email,
            consent=self.consent,
            do_not_contact=self.do_not_contact,
            deceased=self.deceased,
            contact_of=self.contact_of,
        )


@dataclass(frozen=True, slots=True)
class Preferences:
    """The channels that a patient has left on."""

    whatsapp: bool
    sms: bool
    email: bool


def mobile_of(visit: Visit | Person) -> str | None:
    """Return the patient's mobile number in E.164, or None if there is none that a carrier could take."""
    return visit.mobile if visit.mobile and is_mobile(visit.mobile) else None


def email_of(visit: Visit | Person) -> str | None:
    """Return the patient's address, or None if there is none that could stand in a mail's header."""
    return visit.email if visit.email and is_email(visit.email) else None
