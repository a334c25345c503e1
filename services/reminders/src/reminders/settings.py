"""Settings of reminders, from the environment (prefix `REMINDERS_`)."""

from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """Everything reminders can be told. One process runs one role, each with its own port.

    Attributes:
        http_port: Health of this process, and the read API in the role `api`.
    """

    model_config = SettingsConfigDict(env_prefix="REMINDERS_")

    http_port: int = 8102
