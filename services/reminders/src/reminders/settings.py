"""Settings of reminders, from the environment (prefix `REMINDERS_`)."""

from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """Everything reminders can be told. One process runs one role, each with its own port.

    Attributes:
        http_port: Health of this process, and the read API in the role `api`.
        slot: Name of this worker's place, one a running worker. With it a restarted worker takes its partitions up
            again at once, without a rebalance, and one that is taken away keeps them until its session ends.
    """

    model_config = SettingsConfigDict(env_prefix="REMINDERS_")

    http_port: int = 8102
    slot: str | None = None
