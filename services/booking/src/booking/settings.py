"""Settings of booking, from the environment (prefix `BOOKING_`)."""

from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """Everything booking can be told.

    Attributes:
        http_port: Port of the door and of health.
        organisation_zone: IANA zone in which the year of a main-file number begins (D4).
        register_on_booking: Whether a booking of an unknown patient registers him (D5).
        default_country: ISO 3166 code by which national phone numbers are read when nothing nearer says.
        body_limit_bytes: Longest request body; longer ones are refused before they are read.
    """

    model_config = SettingsConfigDict(env_prefix="BOOKING_")

    http_port: int = 8100
    organisation_zone: str = "UTC"
    register_on_booking: bool = False
    default_country: str = "GB"
    body_limit_bytes: int = 4 << 20
