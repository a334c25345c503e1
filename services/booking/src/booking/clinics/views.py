"""What routes answer of clinics."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from booking.door.bodies import WarningView


class ClinicAnswer(BaseModel):
    """The clinic as it is now."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"clinic_id": "CARDIO", "version": 1, "warnings": []}]})

    clinic_id: str
    version: int = Field(description="The same as before if nothing changed; also the answer's ETag.")
    warnings: list[WarningView] = Field(description="Fields that were passed over.")


class WindowView(BaseModel):
    """Local hours in which patients may be messaged."""

    opens: str
    closes: str


class IdentifierView(BaseModel):
    """One way in which a source names the clinic."""

    source: str
    system: str
    value: str


class DetailsView(BaseModel):
    """How a clinic, or one of its services, is reached; null where it says nothing."""

    phone: str | None = None
    address: str | None = None
    directions_url: str | None = None
    preparation: str | None = None


_SHOWN: dict[str, Any] = {
    "clinic_id": "CARDIO", "version": 1, "name": "Heart Clinic", "zone": "Europe/London", "languages": ["en"],
    "country": "GB", "window": {"opens": "07:00", "closes": "21:00"}, "sensitive": False,
    "identifiers": [{"source": "local", "system": "http://fhir.nhs.uk/Id/dos-service-id", "value": "111111111"}],
    "phone": "+442079460018", "address": "1 Long Street, London N1 9GU", "directions_url": None, "preparation": None,
    "services": {"MRI": {"phone": None, "address": "Basement", "directions_url": None, "preparation": "No metal."}},
}  # fmt: skip


class ClinicView(DetailsView):
    """A clinic as it is held."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SHOWN]})

    clinic_id: str = Field(description="Its code.")
    version: int = Field(description="Also the answer's ETag.")
    name: str
    zone: str
    languages: list[str]
    country: str | None = Field(description="By which national phone numbers are read.")
    window: WindowView
    sensitive: bool
    identifiers: list[IdentifierView] = Field(description="Of the sources that the key sees.")
    services: dict[str, DetailsView] = Field(description="Service type → its own details.")


class ClinicPage(BaseModel):
    """Clinics, in the order of their codes."""

    items: list[ClinicView]
    next_after: str | None = Field(description="The next page's `after`; null on the last one.")
