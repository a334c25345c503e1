"""A clinic as upstream sends it."""

from collections.abc import Callable

from pydantic import Field, StrictBool, StrictStr

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


class WindowPart(Body):
    """What changes of the hours; null: the default."""

    opens: StrictStr | None = None
    closes: StrictStr | None = None


class ClinicPart(DetailsBody):
    """What changes of a clinic; what is left out stays, null takes away."""

    name: Text | None = None
    zone: StrictStr | None = None
    languages: list[Text] | None = Field(default=None, min_length=1, max_length=20)
    country: StrictStr | None = None
    window: WindowPart | None = None
    sensitive: StrictBool = False
    identifiers: list[IdentifierBody] = Field(default=[], max_length=100, description="Further ones.")
    services: dict[Text, DetailsBody | None] = Field(default={}, max_length=100)

    def whole(self, held: ClinicState) -> ClinicBody:
        """Return the clinic as its source would tell it whole (RFC 7396).

        What stays by itself when it is left out (details, services, `sensitive`) is in it as it is told here.

        Raises:
            Refused: MISSING_FIELD: what a clinic must have is taken away.
        """
        told = self.model_dump(exclude_unset=True)
        hours = {"opens": held.window_opens.isoformat("minutes"), "closes": held.window_closes.isoformat("minutes")}
        base = {
            "name": held.name, "zone": held.zone, "languages": list(held.languages), "country": held.country,
            "window": hours,
        }  # fmt: skip
        if told.get("window") is not None:
            told["window"] = {name: one for name, one in {**hours, **told["window"]}.items() if one is not None}
        merged = {**base, **told}
        kept = {name: one for name, one in merged.items() if one is not None or name not in base}
        if missing := [name for name in ("name", "zone") if name not in kept]:
            raise Refused("MISSING_FIELD", "a clinic has it: it is changed, not taken away", missing[0])
        return ClinicBody.model_validate(kept)


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
