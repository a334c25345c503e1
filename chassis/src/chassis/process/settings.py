"""What every service can be told, from the environment.

A service's own settings carry its prefix (`RECORDS_DATABASE_URL`); those of the whole installation
do not depend on the service (`ATTEND_TOPIC_PREFIX`, `KAFKA_BOOTSTRAP_SERVERS`), and a service's own
prefix in front of them wins.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from chassis.process.errors import Misconfigured
from schemas.topics import Topic

INSTALLATION = {
    "kafka_bootstrap_servers": "KAFKA_BOOTSTRAP_SERVERS",
    "topic_prefix": "ATTEND_TOPIC_PREFIX",
    "clock_file": "ATTEND_CLOCK_FILE",
    "log_level": "ATTEND_LOG_LEVEL",
    "log_format": "ATTEND_LOG_FORMAT",
    "operator_key_sha256": "ATTEND_OPERATOR_KEY_SHA256",
}
"""Setting → the variable of the installation that gives it."""


def _hash(given: SecretStr) -> SecretStr:
    """Refuse what is no SHA-256 at the start: by it nobody would ever be let in, and nobody would know why."""
    if not re.fullmatch(r"[0-9a-f]{64}", given.get_secret_value()):
        raise ValueError("not the 64 lower-case hex digits of a SHA-256")
    return given


class _Installation(PydanticBaseSettingsSource):
    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return os.environ.get(INSTALLATION.get(field_name, "")), field_name, False

    def __call__(self) -> dict[str, Any]:
        return {name: os.environ[variable] for name, variable in INSTALLATION.items() if os.environ.get(variable)}


class ServiceSettings(BaseSettings):
    """The settings that all services share; a service derives its own with its `env_prefix`.

    Attributes:
        database_url: PostgreSQL, with the service's least-rights role.
        kafka_bootstrap_servers: Comma-separated host:port.
        http_host: Address on which the API listens.
        http_port: Its port; each service has its default.
        operations_host: Address on which health, status, metrics and the API's description listen (decision 0029).
        operations_port: Its port; each service has its default.
        topic_prefix: In front of every topic and group, so that installations can share a cluster.
        clock_file: Shared file by which domain time is stepped; None for real time.
        log_level: debug, info, warning or error.
        log_format: json, or console for people.
        operator_key_sha256: Hex SHA-256 of the key that opens the read APIs; without it they answer 401.
        keep_dead_letters_days: How long a dead letter is kept after it was replayed or discarded. Open ones stay.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    database_url: SecretStr
    kafka_bootstrap_servers: str
    http_host: str = "127.0.0.1"
    http_port: int
    operations_host: str = "127.0.0.1"
    operations_port: int
    topic_prefix: str = ""
    clock_file: Path | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    operator_key_sha256: Annotated[SecretStr, AfterValidator(_hash)] | None = None
    keep_dead_letters_days: int = Field(default=90, ge=1)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let arguments win over the service's variables, and those over the installation's."""
        return init_settings, env_settings, _Installation(settings_cls), file_secret_settings

    @property
    def service(self) -> str:
        """The service whose settings these are, as `attend` calls it."""
        return str(self.model_config.get("env_prefix", "")).removesuffix("_").lower()

    def topic_name(self, topic: Topic) -> str:
        """Return what the topic is called on this installation's broker."""
        return self.topic_prefix + topic.name

    def group(self, name: str) -> str:
        """Return what a consumer group is called on this installation's broker."""
        return self.topic_prefix + name


def load[S: ServiceSettings](settings_type: type[S]) -> S:
    """Read the settings from the environment.

    Raises:
        Misconfigured: Naming each variable that is missing or wrong, never its value.
    """
    try:
        return settings_type()
    except ValidationError as error:
        prefix = settings_type.model_config.get("env_prefix", "")
        wrong = [
            f"{prefix}{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors(include_input=False)
        ]
        raise Misconfigured("settings: " + "; ".join(wrong)) from None
