"""Rendering: the clinic's own templates if it has any, else the installation's, in the patient's language.

A template is `<language>/<kind>.<part>.j2`; a clinic's own lies below `clinics/<CODE>/` in the folder of
the installation, and what it lacks is taken from the general ones.
"""

from dataclasses import dataclass
from pathlib import Path

import phonenumbers.timezone
from babel.dates import format_date, format_time, get_timezone, get_timezone_name
from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, PackageLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from phonenumbers import NumberParseException

from notifier.domain.ledger import Call
from notifier.domain.text import first_name, plain
from notifier.domain.visits import mobile_of
from notifier.domain.wording import language, zone_may_confuse

LANGUAGES = frozenset({"en", "de", "nl"})
"""Languages with a complete set of templates; a test renders all of them."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a message may say, ready for any template: nothing else about the patient reaches one (D35).

    Attributes:
        name: First name; empty if unknown.
        clinic: The clinic's display name; empty at a sensitive clinic.
        zone: The zone in words; empty if the time cannot be read wrongly.
    """

    language: str
    name: str
    clinic: str
    date: str
    time: str
    zone: str


def words_of(call: Call, available: frozenset[str] = LANGUAGES) -> Words:
    """Return the words of a message, in the clinic's local time and the patient's language."""
    visit = call.visit
    if visit.starts_at is None:
        raise ValueError("the gate lets no message pass without a start")
    spoken = language(visit.language, visit.clinic_languages, available)
    zone = get_timezone(visit.zone)
    local = visit.starts_at.astimezone(zone)
    confusing = zone_may_confuse(visit.starts_at, visit.zone, _zones_of(mobile_of(visit)))
    return Words(
        language=spoken,
        name=first_name(visit.given_name),
        clinic="" if visit.clinic_sensitive else plain(visit.clinic_name),
        date=format_date(local, "full", locale=spoken),
        time=plain(format_time(local, "short", locale=spoken)),
        zone=plain(get_timezone_name(local, locale=spoken)) if confusing else "",
    )


class Templates:
    """All templates of an installation.

    Args:
        folder: The installation's own templates, which go before the built-in ones; None for none.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._general: list[BaseLoader] = [PackageLoader("notifier", "templates")]
        self._clinics = folder / "clinics" if folder else None
        if folder:
            self._general.insert(0, FileSystemLoader(folder))
        self._environments: dict[str, ImmutableSandboxedEnvironment] = {}

    def render(self, clinic_id: str, kind: str, part: str, words: Words) -> str:
        """Return one part of a message: `subject.txt`, `text.txt`, `html` or `sms.txt`.

        Raises:
            jinja2.TemplateError: The template is missing, or uses what there is not.
        """
        environment = self._environment(clinic_id)
        template = environment.get_template(f"{words.language}/{kind}.{part}.j2")
        return template.render(
            language=words.language,
            name=words.name,
            clinic=words.clinic,
            date=words.date,
            time=words.time,
            zone=words.zone,
        ).strip()

    def _environment(self, clinic_id: str) -> ImmutableSandboxedEnvironment:
        own = self._clinics / clinic_id if self._clinics else None
        key = clinic_id if own and own.is_dir() else ""
        if key not in self._environments:
            loaders = [FileSystemLoader(own), *self._general] if own and key else self._general
            self._environments[key] = ImmutableSandboxedEnvironment(
                loader=ChoiceLoader(loaders),
                autoescape=_is_html,
                undefined=StrictUndefined,
                trim_blocks=True,
                lstrip_blocks=True,
            )
        return self._environments[key]


def _is_html(name: str | None) -> bool:
    return name is not None and name.endswith(".html.j2")


def _zones_of(mobile: str | None) -> tuple[str, ...]:
    """Return the zones in which a number may be at home; none if that is not known."""
    if mobile is None:
        return ()
    try:
        return tuple(phonenumbers.timezone.time_zones_for_number(phonenumbers.parse(mobile)))
    except NumberParseException:
        return ()
