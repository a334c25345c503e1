"""Settings of records, from the environment (prefix `RECORDS_`)."""

from pydantic_settings import SettingsConfigDict

from chassis.process.settings import ServiceSettings


class Settings(ServiceSettings):
    """The settings of records."""

    model_config = SettingsConfigDict(env_prefix="RECORDS_")

    http_port: int = 8101
    operations_port: int = 8111
    replace_closed: bool = False
    """Whether a booking after a patient's last sub-file at a clinic was closed opens the next one, NN + 1 (D1). Off: a
    closed file stays the only one."""
    rebuild: bool = False
    """The database is being filled anew from the topics, so that it may be behind the sub-files that it once published.
    What people did to sub-files by command is not in the topics that are read: restore that first."""
    booking_url: str | None = None
    """Where booking's read API answers, which knows what an API client may see. Without it only the operator's key
    reads here."""
