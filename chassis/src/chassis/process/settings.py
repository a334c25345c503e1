"""What every service can be told, from the environment.

A service's own settings carry its prefix (`RECORDS_DATABASE_URL`); those of the whole installation
do not depend on the service (`ATTEND_TOPIC_PREFIX`, `KAFKA_BOOTSTRAP_SERVERS`), and a service's own
prefix in front of them wins. A secret may also lie in a file: the variable's name with `_FILE` gives its path.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

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
PLACES = {
    "http_host": "ATTEND_HTTP_HOST",
    "http_port": "ATTEND_HTTP_PORT",
    "operations_host": "ATTEND_OPERATIONS_HOST",
    "operations_port": "ATTEND_OPERATIONS_PORT",
}
"""Setting → the variable that an image gives it by, the same in each of them: where no other process listens."""
FILE = "_FILE"
"""Behind the variable of a secret: the path of the file that holds it."""


def _hash(given: SecretStr) -> SecretStr:
    """Refuse what is no SHA-256 at the start: by it nobody would ever be let in, and nobody would know why."""
    if not re.fullmatch(r"[0-9a-f]{64}", given.get_secret_value()):
        raise ValueError("not the 64 lower-case hex digits of a SHA-256")
    return given


def variables_of(settings_type: "type[ServiceSettings]", setting: str) -> tuple[str, ...]:
    """Return the variables that give a setting, the usual one first. Of two the service's own wins."""
    own = f"{settings_type.model_config.get('env_prefix', '')}{setting}".upper()
    if setting in INSTALLATION:
        return INSTALLATION[setting], own
    return (own, PLACES[setting]) if setting in PLACES else (own,)


def is_secret(annotation: object) -> bool:
    """Say whether a setting of this type is kept out of logs and may lie in a file."""
    return annotation is SecretStr or any(map(is_secret, get_args(annotation)))


def secret_of(variable: str) -> str | None:
    """Return what a variable holds, or the file that the variable with `_FILE` names, less its last line's end.

    Raises:
        Misconfigured: Both are given, or the file cannot be read.
    """
    given, path = os.environ.get(variable), os.environ.get(variable + FILE)
    if not path:
        return given
    if given:
        raise Misconfigured(f"settings: {variable} and {variable}{FILE} are both given: give one of them")
    try:
        return Path(path).read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Misconfigured(f"settings: {variable}{FILE}: {path} cannot be read by user {os.getuid()}: {why}") from None


class _Installation(PydanticBaseSettingsSource):
    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return os.environ.get((INSTALLATION | PLACES).get(field_name, "")), field_name, False

    def __call__(self) -> dict[str, Any]:
        shared = (INSTALLATION | PLACES).items()
        return {name: os.environ[variable] for name, variable in shared if os.environ.get(variable)}


class _Files(PydanticBaseSettingsSource):
    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        settings_type: Any = self.settings_cls
        variables = reversed(variables_of(settings_type, field_name))  # the service's own wins
        found = (secret_of(variable) for variable in variables if os.environ.get(variable + FILE))
        return next(found, None), field_name, False

    def __call__(self) -> dict[str, Any]:
        secrets = {name: field for name, field in self.settings_cls.model_fields.items() if is_secret(field.annotation)}
        found = {name: self.get_field_value(field, name)[0] for name, field in secrets.items()}
        return {name: value for name, value in found.items() if value is not None}


class ServiceSettings(BaseSettings):
    """The settings that all services share; a service derives its own with its `env_prefix`.

    What stands beneath a setting is what everybody reads of it: `python -m <service> settings` and docs/settings.md are
    made from it. Its unit is what its name ends in.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    database_url: SecretStr
    """PostgreSQL, with the service's own role of least rights: `postgresql://ROLE:PASSWORD@HOST:5432/DATABASE`. Its
    `migrate` makes the role."""
    kafka_bootstrap_servers: str
    """Kafka's brokers: `host:port`, several with commas."""
    http_host: str = "127.0.0.1"
    """Address on which the API listens. The image sets 0.0.0.0: its own network is the container's."""
    http_port: int
    """Port of the API, of a process that has one. The image sets 8080."""
    operations_host: str = "127.0.0.1"
    """Address on which health, status, metrics and the API's description answer, without a key. The image sets
    0.0.0.0."""
    operations_port: int
    """Port of health, status, metrics and the API's description. The image sets 8081."""
    topic_prefix: str = ""
    """Stands in front of every topic and consumer group, so that installations can share a cluster."""
    clock_file: Path | None = None
    """Shared file by which domain time is stepped, for trials; none: real time."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least that is logged."""
    log_format: Literal["json", "console"] = "json"
    """`json`: an object a line; `console`: for people."""
    operator_key_sha256: Annotated[SecretStr, AfterValidator(_hash)] | None = None
    """Hex SHA-256 of the operator's key, which opens the read APIs; without it they answer him 401."""
    keep_dead_letters_days: int = Field(default=90, ge=1)
    """How long a dead letter is kept after it was replayed or discarded. Open ones stay."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let arguments win over the service's variables, those over the installation's, and both over files."""
        return init_settings, env_settings, _Installation(settings_cls), _Files(settings_cls)

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
        wrong = [f"{_named(settings_type, e['loc'])}: {e['msg']}" for e in error.errors(include_input=False)]
        raise Misconfigured("settings: " + "; ".join(wrong)) from None
    except SettingsError as error:  # of a variable that is to hold JSON
        field = re.search(r'field "(\w+)"', str(error))
        where = _named(settings_type, (field[1],) if field else ())
        raise Misconfigured(f"settings: {where}: not JSON as it is to be") from None


def _named(settings_type: type[ServiceSettings], place: tuple[int | str, ...]) -> str:
    """Return the variable that people gave, else the usual one, and the place in it."""
    if not place:
        return f"{settings_type.model_config.get('env_prefix', '')}…"
    setting, *rest = map(str, place)
    variables = variables_of(settings_type, setting) if setting in settings_type.model_fields else (setting,)
    given = [name + end for name in variables for end in ("", FILE) if os.environ.get(name + end)]
    return ".".join([*(given[:1] or variables[:1]), *rest])
