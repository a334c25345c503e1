"""Settings of reminders, from the environment (prefix `REMINDERS_`)."""

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from chassis.process.settings import ServiceSettings

SERVICE = "reminders"


class Settings(ServiceSettings):
    """The settings of reminders. One process runs one role, each with its own port."""

    model_config = SettingsConfigDict(env_prefix="REMINDERS_")

    http_port: int = 8102
    operations_port: int = 8112
    slot: str | None = None
    """Name of this worker's place, one a running worker. With it a restarted worker takes its partitions up again at
    once, without a rebalance, and one that is taken away keeps them until its session ends."""
    standbys: int = Field(0, ge=0, le=2)
    """How many other workers hold a copy of each partition's rows, so that a takeover replays only the rest."""
    booking_url: str | None = None
    """Where booking's read API answers: the worker compares its timers with it (the reconciler), and the API asks it
    what an API client may see. Without it only the operator's key reads here."""
    booking_key: SecretStr | None = None
    """A key that reads all of booking, the operator's. Without both, nothing is compared, and the status says so."""
    keep_ids_every_s: float = Field(86_400.0, gt=0)
    """After so long without a write to a partition its owner makes one, or the broker would forget its transactional id
    (after 7 days)."""
    keep_records_days: int = Field(400, ge=30)  # as long as the topics they are made from
    """How long a visit's reminder records and their history are kept, counted from 72 h after it."""
    reconcile_every_s: float = Field(3600.0, gt=0)
    """Between two comparisons of the timers with booking, of machine time."""
