"""Made-up clinics, providers and patients. Nothing here is anybody's: example.org and 555-01xx are reserved."""

from dataclasses import dataclass
from random import Random
from typing import Literal

PATIENTS_PER_CLINIC = 100

GIVEN = ("Ada", "Ben", "Chen", "Dora", "Elif", "Femi", "Hana", "Ivo", "Kofi", "Lina", "Omar", "Yuki")
FAMILY = ("Abara", "Castillo", "Fischer", "Ito", "Kowalski", "Müller", "Nguyen", "O'Connor", "Silva", "Varga", "Xu")

Speaks = Literal["events", "hl7v2", "csv, then events"]
LOCAL, HARBOR_HIS = "local", "harbor-his"
"""The source that the installation's own client speaks for, and that of the clinic that speaks HL7 v2."""
MLLP_CLIENT = "harbor"
"""The client whose rights what comes over MLLP has: it speaks for one source, at one clinic."""


@dataclass(frozen=True, slots=True)
class Clinic:
    """A clinic as its own registration body says it.

    Attributes:
        speaks: In what its booking system says what happens.
        source: Whose ids its patients, providers and visits have.
    """

    code: str
    name: str
    zone: str
    phone: str
    sensitive: bool = False
    speaks: Speaks = "events"
    source: str = LOCAL

    def body(self) -> dict[str, object]:
        """Return the body of `PUT /v1/clinics/{code}`."""
        said = {"name": self.name, "zone": self.zone, "languages": ["en"], "country": "US", "phone": self.phone}
        return {**said, "sensitive": self.sensitive}


@dataclass(frozen=True, slots=True)
class Preferences:
    """Which channels a patient leaves on."""

    whatsapp: bool
    sms: bool
    email: bool

    def body(self) -> dict[str, bool]:
        """Return the body of `PUT /v1/patients/{id}/preferences`."""
        return {"whatsapp": self.whatsapp, "sms": self.sms, "email": self.email}


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient: contacts, preferences and what is particular about him.

    Attributes:
        clinic: The code of the one that registers him.
        consent: HL7 v2 has no word for it, so whoever is registered by it consents.
        only_in_visits: No message is of him alone: he is known by his name, from those of his visits.
    """

    id: str
    given_name: str
    family_name: str
    mobile: str | None
    email: str | None
    preferences: Preferences | None = None
    registered: bool = True
    consent: bool = True
    do_not_contact: bool = False
    clinic: str = ""
    only_in_visits: bool = False

    @property
    def barred(self) -> str | None:
        """D44: why no message may go to him, whatever it says, or None."""
        if self.do_not_contact:
            return "DO_NOT_CONTACT"
        return None if self.consent else "NO_CONSENT"

    def body(self) -> dict[str, object]:
        """Return the body of `PUT /v1/patients/{id}`."""
        return {
            "given_name": self.given_name,
            "family_name": self.family_name,
            "mobile": self.mobile,
            "email": self.email,
            "language": "en",
            "consent": self.consent,
            "do_not_contact": self.do_not_contact,
        }


CLINICS = (
    Clinic("THAMES", "Thameside Clinic", "Europe/London", "+44 20 7946 0018"),
    Clinic("HARBOR", "Harbor Street Clinic", "America/New_York", "+1 917-555-0100", speaks="hl7v2", source=HARBOR_HIS),
    Clinic("SAKURA", "Sakura Clinic", "Asia/Tokyo", "+81 3-1234-5678", sensitive=True, speaks="csv, then events"),
)
BY_MLLP = frozenset(clinic.code for clinic in CLINICS if clinic.speaks == "hl7v2")
"""Codes of the clinics whose patients, clinicians and visits come in HL7 v2, over MLLP."""

AREA_CODES = ("212", "646", "718")
"""Three area codes hold 100 reserved 555-01xx numbers each: one for every patient."""

EMAIL_ONLY, NO_CONTACT, ALL_OFF, NEVER_REGISTERED, REGISTERED_LATE, NO_CONSENT, DO_NOT_CONTACT = range(90, 97)
"""Indices, in each clinic, of the patients with a story."""

AT_SIX, AT_TEN_IN_THE_EVENING = 82, 81
"""Who comes before the clinic's hours, and after them: his reminders would fall into the night (D16)."""

NO_WHATSAPP, NO_MOBILE, DEAD_NUMBER, UNREACHABLE, SAID_STOP, BY_PHONE = (5, 15), (65,), (2, 12), (1,), (9, 17), 86
REBOOKED = 44
"""Whom WhatsApp refuses; whom WhatsApp and SMS refuse; whose number is dead, with and without an address; who wrote
STOP, the first without any other channel; who books by phone; who cancels and books again at once."""

NEW_NUMBER, MISSED = (6, 13), 79
"""Of the clinics that speak HL7 v2: who has another mobile in the middle of the week; of whom the clinic itself says
that he did not come."""

TELLING = (
    *([None] * 5),
    Preferences(whatsapp=True, sms=True, email=True),
    Preferences(whatsapp=True, sms=False, email=False),
    Preferences(whatsapp=False, sms=True, email=True),
    Preferences(whatsapp=False, sms=False, email=True),
    Preferences(whatsapp=False, sms=True, email=False),
)
"""Half of the patients never said what they prefer."""


def providers(clinic: Clinic) -> tuple[tuple[str, str], ...]:
    """Return (source id, name) of a clinic's providers."""
    names = ("Dr Morgan Reyes", "Dr Priya Anand", "Dr Sam Whitlock")
    return tuple((f"dr-{clinic.code.lower()}-{n}", name) for n, name in enumerate(names, 1))


def patients(seed: int) -> dict[str, tuple[Patient, ...]]:
    """Return the patients of each clinic, by its code. The same seed, the same people."""
    rng = Random(seed)  # noqa: S311  # made-up people, no secret
    return {
        clinic.code: tuple(_patient(rng, clinic, area, index) for index in range(PATIENTS_PER_CLINIC))
        for clinic, area in zip(CLINICS, AREA_CODES, strict=True)
    }


def _patient(rng: Random, clinic: Clinic, area: str, index: int) -> Patient:
    given, family = rng.choice(GIVEN), rng.choice(FAMILY)
    identifier = f"{clinic.code.lower()}-p{index:03d}"
    by_mllp = clinic.code in BY_MLLP
    only_in_visits = by_mllp and index == NEVER_REGISTERED
    bare = index == NO_CONTACT or only_in_visits
    preferences = TELLING[index % len(TELLING)] if index < EMAIL_ONLY else None
    return Patient(
        id=identifier,
        given_name=given,
        family_name=family,
        mobile=None if bare or index == EMAIL_ONLY else f"+1{area}55501{index:02d}",
        email=None if bare or index % 8 == 1 else f"{identifier}@example.org",
        preferences=Preferences(whatsapp=False, sms=False, email=False) if index == ALL_OFF else preferences,
        registered=only_in_visits or index not in {NEVER_REGISTERED, REGISTERED_LATE},
        consent=by_mllp or index != NO_CONSENT,
        do_not_contact=index == DO_NOT_CONTACT,
        clinic=clinic.code,
        only_in_visits=only_in_visits,
    )
