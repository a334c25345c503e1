"""A made-up message of each kind, for linting and for looking at: nobody's data, and always the same."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from notifier.gate.domain.channels import Route
from notifier.gate.domain.facts import Lack
from notifier.gate.domain.visit import Details, Visit
from notifier.ledger.domain.notification import Call
from schemas.appointments import Status
from schemas.notifications import Channel, Kind

SENT = datetime(2027, 3, 1, 9, tzinfo=UTC)
"""A Monday."""


@dataclass(frozen=True, slots=True)
class Place:
    """A clinic where a language is spoken, and the mobile of who lives there."""

    mobile: str
    zone: str
    country: str
    clinic: str
    reached: Details


def _reached(place: str, phone: str, address: str, preparation: str) -> Details:
    return Details(phone, address, f"https://maps.example.org/{place}", preparation)


PLACES = {
    "en": Place(
        "+447911123456", "Europe/London", "GB", "North Street Clinic",
        _reached("north-street", "+442079460018", "1 Long Street, London N1 9GU",
                 "Please bring:\n- a list of your medicines\n- your glasses"),
    ),
    "de": Place(
        "+4915112345678", "Europe/Berlin", "DE", "Praxis am Nordring",
        _reached("nordring", "+493023125000", "Nordring 5, 10115 Berlin",
                 "Bitte bringen Sie mit:\n- Ihre Gesundheitskarte\n- eine Liste Ihrer Medikamente"),
    ),
    "nl": Place(
        "+31612345678", "Europe/Amsterdam", "NL", "Praktijk Noord",
        _reached("noordstraat", "+31201234567", "Noordstraat 5, 1015 Amsterdam",
                 "Neem mee:\n- uw identiteitsbewijs\n- een lijst van uw medicijnen"),
    ),
    "fr": Place(
        "+33612345678", "Europe/Paris", "FR", "Cabinet du Nord",
        _reached("cabinet-du-nord", "+33142685300", "5 rue du Nord, 75010 Paris",
                 "Merci d'apporter :\n- votre carte Vitale\n- la liste de vos médicaments"),
    ),
    "es": Place(
        "+34612345678", "Europe/Madrid", "ES", "Consulta del Norte",
        _reached("consulta-del-norte", "+34915550123", "Calle del Norte 5, 28015 Madrid",
                 "Traiga, por favor:\n- su tarjeta sanitaria\n- la lista de sus medicamentos"),
    ),
    "pt": Place(
        "+5511912345678", "America/Sao_Paulo", "BR", "Centro Médico Norte",
        _reached("centro-medico-norte", "+551130123456", "Rua do Norte 5, São Paulo",
                 "Por favor, traga:\n- um documento de identidade\n- a lista dos seus medicamentos"),
    ),
    "it": Place(
        "+393123456789", "Europe/Rome", "IT", "Studio Nord",
        _reached("studio-nord", "+390669812345", "Via del Nord 5, 00184 Roma",
                 "Porti con sé, per favore:\n- la tessera sanitaria\n- l'elenco dei Suoi farmaci"),
    ),
    "pl": Place(
        "+48512345678", "Europe/Warsaw", "PL", "Przychodnia Nord",
        _reached("przychodnia-nord", "+48225551234", "ul. Nordycka 5, 00-001 Warszawa",
                 "Prosimy zabrać:\n- dokument tożsamości\n- listę przyjmowanych leków"),
    ),
    "ar": Place(
        "+201001234567", "Africa/Cairo", "EG", "عيادة الشمال",
        _reached("al-shamal", "+20223456789", "5 شارع الشمال، القاهرة",
                 "يرجى إحضار:\n- بطاقة الهوية\n- قائمة بأدويتكم"),
    ),
    "sw": Place(
        "+254712345678", "Africa/Nairobi", "KE", "Kliniki ya Kaskazini",
        _reached("kaskazini", "+254202345678", "Barabara ya Kaskazini 5, Nairobi",
                 "Tafadhali lete:\n- kitambulisho chako\n- orodha ya dawa zako"),
    ),
}  # fmt: skip
"""Where the sample of each language is; of one that has none it is where English is spoken."""

AMERICAN = "+12125550123"

VISITS = 3
"""Of a message about several visits of a day."""

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
        lacks: What the visit lacks; only a notice of it says so.
        visits: Of how many visits of that day the message tells.
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
    lacks: tuple[Lack, ...] = (Lack("consent", link="https://forms.example.org/consent"),)
    visits: int = 1

    def with_(self, **changes: Any) -> "Sample":
        """Return the same with some of it changed."""
        return replace(self, **changes)

    def call(self, channel: Channel = Channel.EMAIL) -> Call:
        """Return the message as a lane would hand it to its carrier."""
        spoken = self.language.partition("-")[0]
        place = PLACES.get(spoken, PLACES["en"])
        mobile = self.mobile or place.mobile
        days = _DAYS.get(self.kind, 3) if self.days is None else self.days
        starts_at = SENT + timedelta(days=days, hours=2, minutes=30)
        visit = Visit(
            appointment_id=UUID("01890000-0000-7000-8000-000000000001"),
            version=_VERSION.get(self.kind, 1),
            status=_STATUS.get(self.kind, Status.BOOKED),
            schedule_gen=1,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=30),
            zone=place.zone,
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
            clinic_name=self.clinic_name or place.clinic,
            clinic_languages=(self.language,),
            clinic_sensitive=self.sensitive,
            window_opens=time(7),
            window_closes=time(21),
            provider_id=None,
            provider_name=None,
            clinic_country=place.country,
            clinic_details=self.details or place.reached,
        )
        call = Call(
            notification_id=UUID("01890000-0000-5000-8000-000000000004"),
            attempt_id=UUID("01890000-0000-5000-8000-000000000005"),
            kind=self.kind,
            route=Route(channel, "ada@example.org" if channel is Channel.EMAIL else mobile),
            visit=visit,
            not_after=max(starts_at, SENT),
            arrives_by=max(starts_at, SENT),
            gated_on=0.0,
            at=SENT,
            code=self.code if self.visits == 1 else "",
            lacks=self.lacks if self.kind is Kind.CLEARANCE_MISSING else (),
        )
        return replace(call, also=tuple(_another(call, nth) for nth in range(1, self.visits)))


def _another(call: Call, nth: int) -> Call:
    """Return the same of the `nth` visit after it, each 75 minutes after the one before."""
    visit, later = call.visit, nth * timedelta(minutes=75)
    starts_at = (visit.starts_at or SENT) + later
    other = replace(
        visit, appointment_id=UUID(int=visit.appointment_id.int + (nth << 80)), starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=30),
    )  # fmt: skip
    attempt_id = UUID(int=call.attempt_id.int + (nth << 80))
    return replace(call, visit=other, attempt_id=attempt_id, with_attempt=call.attempt_id)
