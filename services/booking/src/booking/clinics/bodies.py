"""A clinic as upstream sends it."""

from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr

from booking.clinics.domain.clinic import ClinicState
from booking.clinics.domain.details import Told, ToldDetails
from booking.door.bodies import Body, Id, Text
from booking.values import contacts, texts
from booking.values.identity import clinic_code
from booking.values.refusals import Refused
from booking.values.times import local_time, zone_of
from chassis.process.clock import Clock

LONGEST_ADDRESS, LONGEST_PREPARATION = 300, 1000


class WindowBody(Body):
    """Local hours in which patients may be messaged."""

    opens: StrictStr = "07:00"
    closes: StrictStr = "21:00"


class IdentifierBody(Body):
    """One way in which a source names the clinic."""

    system: Id
    value: Id
    source: StrictStr | None = None


class DetailsBody(Body):
    """How a clinic, or one of its services, is reached. Left out: as it is; null: not any more."""

    phone: StrictStr | None = Field(default=None, description="To call; a national one is of the clinic's country.")
    address: StrictStr | None = Field(default=None, description="Where to come, on one line.")
    directions_url: StrictStr | None = Field(default=None, description="A page with a map: https.")
    preparation: StrictStr | None = Field(default=None, description="What to do before, what to bring; several lines.")


class ClinicBody(DetailsBody):
    """A clinic. What of its details is left out is as it is; null: not any more."""

    name: Text
    zone: StrictStr
    languages: list[Text] = Field(default=["en"], min_length=1, max_length=20)
    country: StrictStr | None = Field(default=None, description="By which national phone numbers are read.")
    window: WindowBody = WindowBody()
    sensitive: StrictBool = Field(default=False, description="Left out: as it is; a new clinic is not.")
    identifiers: list[IdentifierBody] = Field(default=[], max_length=100)
    services: dict[Text, DetailsBody | None] = Field(
        default={}, max_length=100, description="Service type → its own details, which go before the clinic's."
    )


class ClinicAnswer(BaseModel):
    """The clinic as it is now."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"clinic_id": "CARDIO", "version": 1}]})

    clinic_id: str
    version: int = Field(description="The same as before if nothing changed.")


def clinic_of(code: str, body: ClinicBody, clock: Clock, default_country: str | None) -> ClinicState:
    """Return the clinic that the body tells of.

    Raises:
        Refused: ILLEGAL_CLINIC_CODE, UNKNOWN_ZONE, UNKNOWN_COUNTRY, BAD_WINDOW, or a name is not acceptable.
    """
    opens = local_time(body.window.opens, "window.opens")
    closes = local_time(body.window.closes, "window.closes")
    if opens >= closes:
        raise Refused("BAD_WINDOW", "the window closes before it opens", "window")
    return ClinicState(
        clinic_id=clinic_code(code, "code"),
        version=0,
        name=texts.name(body.name, "name"),
        zone=zone_of(body.zone, "zone").key,
        country=contacts.country_or_none(body.country or default_country, "country"),
        created_at=clock.now(),
        languages=tuple(texts.name(language, "languages") for language in body.languages),
        window_opens=opens,
        window_closes=closes,
    )


def details_of(body: ClinicBody, country: str | None) -> ToldDetails:
    """Return what the body tells of how the clinic is reached.

    Args:
        country: The clinic's, by which national phone numbers are read; None if nobody knows.

    Raises:
        Refused: BAD_PHONE, NO_COUNTRY, BAD_URL, or a text is not acceptable.
    """
    services = {
        texts.name(service, f"services.{service}"): own if own is None else _told(own, country, f"services.{service}.")
        for service, own in body.services.items()
    }
    return ToldDetails(_told(body, country), services)


def _told(body: DetailsBody, country: str | None, above: str = "") -> Told:
    read: dict[str, Callable[[str, str], str]] = {
        "phone": lambda written, place: contacts.phone(texts.name(written, place), country, place),
        "address": lambda written, place: texts.name(written, place, LONGEST_ADDRESS),
        "directions_url": lambda written, place: contacts.web_address(
            texts.name(written, place, contacts.LONGEST_URL), place
        ),
        "preparation": lambda written, place: texts.lines(written, place, LONGEST_PREPARATION),
    }
    named = {field: getattr(body, field) for field in read if field in body.model_fields_set}
    return {field: None if value is None else read[field](value, above + field) for field, value in named.items()}
