"""A made-up message of each kind, for linting and for looking at: nobody's data, and always the same."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from notifier.gate.domain.channels import Route
from notifier.gate.domain.visit import Details, Visit
from notifier.ledger.domain.notification import Call
from schemas.appointments import Status
from schemas.notifications import Channel, Kind

SENT = datetime(2027, 3, 1, 9, tzinfo=UTC)
"""A Monday."""

_NUMBER = {"en": "+447911123456", "de": "+4915112345678", "nl": "+31612345678"}
_ZONE = {"en": "Europe/London", "de": "Europe/Berlin", "nl": "Europe/Amsterdam"}
_COUNTRY = {"en": "GB", "de": "DE", "nl": "NL"}
_CLINIC = {"en": "North Street Clinic", "de": "Praxis am Nordring", "nl": "Praktijk Noord"}
_REACHED = {
    "en": Details(
        "+442079460018", "1 Long Street, London N1 9GU", "https://maps.example.org/north-street",
        "Please bring:\n- a list of your medicines\n- your glasses",
    ),
    "de": Details(
        "+493023125000", "Nordring 5, 10115 Berlin", "https://maps.example.org/nordring",
        "Bitte bringen Sie mit:\n- Ihre Gesundheitskarte\n- eine Liste Ihrer Medikamente",
    ),
    "nl": Details(
        "+31201234567", "Noordstraat 5, 1015 Amsterdam", "https://maps.example.org/noordstraat",
        "Neem mee:\n- uw identiteitsbewijs\n- een lijst van uw medicijnen",
    ),
}  # fmt: skip
"""How the clinic is reached, in a language's words."""

AMERICAN = "+12125550123"

_DAYS = {Kind.TODAY: 0, Kind.NO_SHOW: -1, Kind.REMINDER: 1}
_STATUS = {Kind.CANCELLED: Status.CANCELLED, Kind.NO_SHOW: Status.NOSHOW}
_VERSION = {Kind.MOVED: 2, Kind.CANCELLED: 3, Kind.NO_SHOW: 4}


@dataclass(frozen=True, slots=True)
class Sample:
    """What is to be made up; all the rest is the same in each.

    Attributes:
        clinic_name: None for one that fits the language.
        days: Days from sending to the visit; None for what is usual for the kind.
        details: How the clinic is reached; None for what fits the language.
        mobile: Where the patient is called; None for a number at home where the clinic is, so that no zone is named.
        code: By which he may answer; empty if nobody reads answers.
    """

    kind: Kind
    language: str = "en"
    clinic_id: str = "NORTH"
    name: str | None = "Ada"
    clinic_name: str | None = None
    sensitive: bool = False
    details: Details | None = None
    days: int | None = None
    mobile: str | None = None
    code: str = ""

    def with_(self, **changes: Any) -> "Sample":
        """Return the same with some of it changed."""
        return replace(self, **changes)

    def call(self, channel: Channel = Channel.EMAIL) -> Call:
        """Return the message as a lane would hand it to its carrier."""
        spoken = self.language.partition("-")[0]
        mobile = self.mobile or _NUMBER.get(spoken, _NUMBER["en"])
        days = _DAYS.get(self.kind, 3) if self.days is None else self.days
        starts_at = SENT + timedelta(days=days, hours=2, minutes=30)
        visit = Visit(
            appointment_id=UUID("01890000-0000-7000-8000-000000000001"),
            version=_VERSION.get(self.kind, 1),
            status=_STATUS.get(self.kind, Status.BOOKED),
            schedule_gen=1,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=30),
            zone=_ZONE.get(spoken, _ZONE["en"]),
            service_type="Physiotherapy",
            patient_id=UUID("01890000-0000-7000-8000-000000000002"),
            registered=True,
            given_name=self.name,
            family_name="Abara",
            language=self.language,
            mobile=mobile,
            email="ada@example.org",
            consent=True,
            do_not_contact=False,
            deceased=False,
            clinic_id=self.clinic_id,
            clinic_name=self.clinic_name or _CLINIC.get(spoken, _CLINIC["en"]),
            clinic_languages=(self.language,),
            clinic_sensitive=self.sensitive,
            window_opens=time(7),
            window_closes=time(21),
            provider_id=None,
            provider_name=None,
            clinic_country=_COUNTRY.get(spoken, _COUNTRY["en"]),
            clinic_details=self.details or _REACHED.get(spoken, _REACHED["en"]),
        )
        return Call(
            notification_id=UUID("01890000-0000-5000-8000-000000000004"),
            attempt_id=UUID("01890000-0000-5000-8000-000000000005"),
            kind=self.kind,
            route=Route(channel, "ada@example.org" if channel is Channel.EMAIL else mobile),
            visit=visit,
            not_after=max(starts_at, SENT),
            arrives_by=max(starts_at, SENT),
            gated_on=0.0,
            at=SENT,
            code=self.code,
        )
