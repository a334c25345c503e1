"""A clinic as upstream sends it."""

from pydantic import Field, StrictBool, StrictStr

from booking.clinics.domain.clinic import ClinicState
from booking.door.bodies import Body, Id, Text
from booking.values import contacts, texts
from booking.values.identity import clinic_code
from booking.values.refusals import Refused
from booking.values.times import local_time, zone_of
from chassis.process.clock import Clock


class WindowBody(Body):
    """Local hours in which patients may be messaged."""

    opens: StrictStr = "07:00"
    closes: StrictStr = "21:00"


class IdentifierBody(Body):
    """One way in which a source names the clinic."""

    system: Id
    value: Id
    source: StrictStr | None = None


class ClinicBody(Body):
    """A clinic."""

    name: Text
    zone: StrictStr
    languages: list[Text] = Field(default=["en"], min_length=1, max_length=20)
    country: StrictStr | None = Field(default=None, description="By which national phone numbers are read.")
    window: WindowBody = WindowBody()
    sensitive: StrictBool = Field(default=False, description="Left out: as it is; a new clinic is not.")
    identifiers: list[IdentifierBody] = Field(default=[], max_length=100)


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
