"""What a service can be told, for people: each setting with its variable, type, unit, default and meaning.

All of it is read from the settings' class, where each meaning stands once.
"""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from chassis.process.settings import FILE, ServiceSettings, is_secret, variables_of

UNITS = {
    "_per_second": "a second",
    "_per_s": "a second",
    "_s": "seconds",
    "_min": "minutes",
    "_minutes": "minutes",
    "_h": "hours",
    "_days": "days",
    "_bytes": "bytes",
}
"""What a setting's name ends in → its unit."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        variable: The environment variable that gives it.
        also: Another variable that gives it. Of the two the one with the service's prefix wins.
        file: For a secret: the variable that names a file with it instead.
        type: In words: `text`, `whole number, 1 to 500`, `one of none, starttls, tls`.
        default: As it would be given; None where there is none.
        command: The only command that reads it; None: all do.
    """

    variable: str
    meaning: str
    type: str = "text"
    unit: str | None = None
    default: str | None = None
    required: bool = False
    also: str | None = None
    file: str | None = None
    command: str | None = None

    @property
    def secret(self) -> bool:
        """Whether it is never shown."""
        return self.file is not None


BESIDE = (
    Setting(
        "DATABASE_ADMIN_URL",
        "PostgreSQL, with a login that may create schemas and roles.",
        required=True,
        file=f"DATABASE_ADMIN_URL{FILE}",
        command="migrate",
    ),
    Setting(
        "ATTEND_INSTALLATION",
        "Name of the installation, told with who answers at the port of operations: several beside each other are told "
        "apart by it.",
    ),
)
"""Variables that are no field of the settings."""

_KUBERNETES = re.compile(r"\w+(_SERVICE_HOST|_SERVICE_PORT(_\w+)?|_PORT_\d+_(TCP|UDP)(_\w+)?)")
"""What Kubernetes puts into every container for a Service, which may well be called `booking`."""


def listed(settings_type: type[ServiceSettings]) -> list[Setting]:
    """Return every setting of a service, the required ones first."""
    schema = settings_type.model_json_schema()
    kinds = schema.get("$defs", {})
    found = [_setting(settings_type, name, schema["properties"][name], kinds) for name in settings_type.model_fields]
    return sorted([*found, *BESIDE], key=lambda one: not one.required)


def unread(settings_type: type[ServiceSettings], environment: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    """Yield (variable, nearest known name or None) for what is given and nobody reads.

    Those are all that have the service's prefix, and of the others what is nearly the name of a setting.
    """
    every = listed(settings_type)
    known = {name for one in every for name in (one.variable, one.also, one.file) if name}
    known |= {one.also + FILE for one in every if one.also and one.secret}
    prefix = str(settings_type.model_config.get("env_prefix", ""))
    for given in sorted(environment):
        name = given.upper()
        if name in known or _KUBERNETES.fullmatch(name) or environment[given].startswith("tcp://"):
            continue
        ours = bool(prefix) and name.startswith(prefix)
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.7 if ours else 0.9)
        if ours or near:
            yield given, near[0] if near else None


def _setting(settings_type: type[ServiceSettings], name: str, schema: dict[str, Any], kinds: dict[str, Any]) -> Setting:
    field = settings_type.model_fields[name]
    usual, *also = variables_of(settings_type, name)
    whole = [kinds[one["$ref"].rpartition("/")[2]] if "$ref" in one else one for one in schema.get("anyOf", [schema])]
    kind = next(one for one in whole if one.get("type") != "null")
    numeric = kind.get("type") in ("integer", "number")
    return Setting(
        usual,
        " ".join(_meaning(settings_type, name).split()),
        _type(kind),
        next((unit for end, unit in UNITS.items() if numeric and name.endswith(end)), None),
        None if field.is_required() else _given(field.get_default(call_default_factory=True)),
        field.is_required(),
        also[0] if also else None,
        usual + FILE if is_secret(field.annotation) else None,
    )


def _meaning(settings_type: type[ServiceSettings], name: str) -> str:
    """Return what stands beneath a setting, where it is declared first if the service only changes its default."""
    classes = (one for one in settings_type.__mro__ if issubclass(one, ServiceSettings) and name in one.model_fields)
    return next((told for one in classes if (told := one.model_fields[name].description)), "")


def _type(kind: dict[str, Any]) -> str:
    if options := kind.get("enum"):
        return f"one of {', '.join(options)}"
    match kind.get("type"), kind.get("format"):
        case "boolean", _:
            return "true or false"
        case ("integer" | "number") as number, _:
            return ", ".join(filter(None, ["whole number" if number == "integer" else "number", _bounds(kind)]))
        case "array", _:
            return "list, with commas between"
        case "object", _:
            return "JSON object"
        case _, "path":
            return "path"
    return "text"


def _bounds(kind: dict[str, Any]) -> str:
    least, above, most = (kind.get(name) for name in ("minimum", "exclusiveMinimum", "maximum"))
    low = f"{least:g}" if least is not None else f"more than {above:g}" if above is not None else None
    if low is None or most is None:
        return f"{low} or more" if least is not None else low or (f"at most {most:g}" if most is not None else "")
    return f"{low} to {most:g}" if least is not None else f"{low}, at most {most:g}"


def _given(default: object) -> str | None:
    """Return a default as its variable would give it; None where it says nothing."""
    match default:
        case SecretStr() | None | "" | ():
            return None
        case bool():
            return str(default).lower()
        case float():
            return f"{default:g}" if abs(default) < 1e6 else str(default)
        case dict():
            return "{}"
        case _ if isinstance(default, Sequence) and not isinstance(default, str):
            return ",".join(map(str, default))
    return str(default)
