"""A patient as upstream sends him."""

from collections.abc import Callable
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from booking.door.bodies import Id, Name, Order, RefusedItem, Text, WarningView
from booking.door.domain import Client
from booking.patients.domain import main_files
from booking.patients.domain.patient import NOBODY, PATIENT_FLAGS, PatientState
from booking.patients.domain.registrations import Registration
from booking.values import contacts, texts
from booking.values.identity import Identity
from booking.values.refusals import Refused
from schemas.people import ContactOf

LONGEST_PAGE = 1_000
"""Patients of one answer."""

TOLD = frozenset(
    {"given_name", "family_name", "mobile", "email", "language", "contact_of", "main_file"},
)
"""Fields of a body that are fields of a patient, but his flags."""

_FLAG = "Left out: as it is. The default is that of a patient who is not known yet."


class PatientBody(BaseModel):
    """A patient, whole: what is left out is not known. Of the three flags only those change that are named (D51)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    given_name: Text | None = None
    family_name: Text | None = None
    mobile: StrictStr | None = Field(default=None, description="E.164, or national in `country`.")
    country: StrictStr | None = Field(default=None, description="By which a national number is read.")
    email: StrictStr | None = None
    language: Text | None = None
    contact_of: ContactOf | None = Field(
        default=None, description="Whose mobile and email are, if not the patient's own: he is not greeted then."
    )
    consent: StrictBool = Field(default=True, description=_FLAG)
    do_not_contact: StrictBool = Field(default=False, description=_FLAG)
    deceased: StrictBool = Field(default=False, description=_FLAG)
    main_file: StrictStr | None = Field(default=None, description="FILE-YYYY-NNNNNN, if upstream issued one.")


class ListedBody(PatientBody):
    """A patient in a batch."""

    id: Id = Field(description="The source's id of the patient.")
    source: StrictStr | None = Field(default=None, description="Left out: the query's, or the client's only one.")


_HELD: dict[str, Any] = {
    "patient_id": "01a22c62-92fc-731d-8fb7-d41c4de61b44",
    "version": 3,
    "main_file": "FILE-2027-000001",
}
_TAKEN: dict[str, Any] = {**_HELD, "reminders_cancelled": 0, "warnings": []}


class PatientAnswer(BaseModel):
    """The patient as he is now."""

    model_config = ConfigDict(json_schema_extra={"examples": [_TAKEN]})

    patient_id: str
    main_file: str = Field(description="FILE-YYYY-NNNNNN.")
    version: int = Field(description="The same as before if nothing changed; also the answer's ETag.")
    warnings: list[WarningView] = Field(
        description="Fields that were passed over (UNKNOWN_FIELD), and what he lacks: NO_NAME, NO_CONTACT."
    )
    reminders_cancelled: int | None = Field(
        description="How many reminders of his visits ahead this request takes back: those that lay ahead when a flag "
        "changed by which no message may go to him. 0 where it takes back none, so also when the same is sent again. "
        "null: it takes back some, and they were not counted, because all whom its transaction flags have more than "
        "1,000 visits ahead together; requests that come at the same time share a transaction."
    )


class ListedAnswer(PatientAnswer):
    """One patient of a batch, as he is now."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": "p-1", "status": 200, **_TAKEN}]})

    id: str = Field(description="The source's id of the patient.")
    status: Literal[200]


class ListedRefusal(RefusedItem):
    """One patient of a batch who is not registered, and why."""

    id: str | None = Field(default=None, description="The source's id of the patient, if it can be one.")


class BatchAnswer(BaseModel):
    """The answers, in the order of the bodies."""

    results: list[ListedAnswer | ListedRefusal]
    warnings: list[WarningView] = Field(default=[], description="Of what is around the patients; left out if none.")


class BatchBody(BaseModel):
    """Several patients."""

    patients: list[ListedBody]


_SHOWN: dict[str, Any] = {
    **_HELD, "given_name": "Amina", "family_name": "Kimathi", "mobile": "+447700900123", "email": None,
    "language": "en", "contact_of": None, "consent": True, "do_not_contact": False, "deceased": False,
    "names": [{"source": "local", "id": "p-1"}],
}  # fmt: skip


class PatientView(BaseModel):
    """A patient as he is held."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SHOWN]})

    patient_id: UUID
    version: int = Field(description="0: bookings name him, and nobody registered him. Also the answer's ETag.")
    main_file: str | None = Field(description="FILE-YYYY-NNNNNN; null until he is registered.")
    given_name: str | None
    family_name: str | None
    mobile: str | None = Field(description="E.164.")
    email: str | None
    language: str | None
    contact_of: ContactOf | None = Field(description="Whose mobile and email are, if not his own.")
    consent: bool
    do_not_contact: bool
    deceased: bool
    names: list[Name] = Field(description="What the sources that the key sees call him.")


class FindBody(Order):
    """Whom to look for."""

    name: StrictStr = Field(min_length=2, max_length=100, description="How a given or family name begins; any case.")
    source: StrictStr | None = Field(default=None, description="Left out: the client's only source.")
    limit: StrictInt = Field(default=100, ge=1, le=LONGEST_PAGE)
    after: StrictStr = Field(default="", max_length=200, description="`next_after` of the page before.")


class PatientPage(BaseModel):
    """Patients whom a source names, in the order of its ids."""

    items: list[PatientView]
    next_after: str | None = Field(description="The next page's `after`; null on the last one.")


class _Fields:
    """Reads the fields of a body, each for itself."""

    def __init__(self) -> None:
        self.refused: list[Refused] = []

    def read[T](self, written: str | None, read: Callable[[str, str], T], place: str) -> T | None:
        """Return what is read, None where nothing is written or it is refused."""
        try:
            return None if written is None else read(written, place)
        except Refused as refusal:
            self.refused.append(refusal)
            return None


def registration(identity: Identity, body: PatientBody, client: Client, default_country: str | None) -> Registration:
    """Return what the body tells of a patient.

    Raises:
        Refused: The first field that is not acceptable, and the others with it.
    """
    fields = _Fields()
    country = fields.read(body.country or default_country, contacts.country, "country")
    told = PatientState(
        patient_id=NOBODY.patient_id,
        main_file=fields.read(body.main_file, main_files.check, "main_file"),
        given_name=fields.read(body.given_name, texts.name, "given_name"),
        family_name=fields.read(body.family_name, texts.name, "family_name"),
        language=fields.read(body.language, texts.name, "language"),
        mobile=fields.read(body.mobile, lambda written, place: contacts.mobile(written, country, place), "mobile"),
        email=fields.read(body.email, contacts.email, "email"),
        contact_of=body.contact_of,
    )
    if fields.refused:
        first, *others = fields.refused
        raise Refused(first.code, first.message, first.place, others)
    flags = {flag: getattr(body, flag) for flag in PATIENT_FLAGS if flag in body.model_fields_set}
    return Registration(identity, told, flags, client)


def in_part(whole: Registration, body: PatientBody) -> Registration:
    """Return the registration with what its body names alone: what it leaves out stays (RFC 7396)."""
    return whole._replace(fields=frozenset(body.model_fields_set & TOLD))
