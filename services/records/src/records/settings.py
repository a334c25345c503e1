"""Settings of records, from the environment (prefix `RECORDS_`)."""

from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """Everything records can be told.

    Attributes:
        http_port: Port of the read API and health.
        replace_closed: Policy of D1: a booking after a patient's last sub-file at a clinic was closed
            opens the next one (NN + 1). Off: a closed file stays the only one.
    """

    model_config = SettingsConfigDict(env_prefix="RECORDS_")

    http_port: int = 8101
    replace_closed: bool = False
