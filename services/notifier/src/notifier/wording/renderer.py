"""Rendering: the clinic's own templates if it has any, else the installation's, in the patient's language.

A template is `<language>/<kind>.<part>.j2`; a clinic's own lies below `clinics/<CODE>/` in the folder of
the installation, and what it lacks is taken from the general ones. They are read once: a changed file counts
from the next start.
"""

from collections.abc import Iterator, MutableMapping
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal, get_args

from babel.core import Locale, UnknownLocaleError
from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    DictLoader,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
    Template,
    TemplateSyntaxError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from chassis.process.errors import Misconfigured
from notifier.wording.domain.language import LAST_RESORT
from notifier.wording.domain.safe_text import clipped
from notifier.wording.domain.sms_segments import segments, without_typography
from notifier.wording.sentences import SEVERAL, built_in, path_of
from notifier.wording.words import LANGUAGES, Words

type Part = Literal["subject.txt", "text.txt", "html", "sms.txt"]

PARTS: tuple[Part, ...] = get_args(Part.__value__)

SMS_NAME, SMS_CLINIC, SMS_LACKING = 20, 40, 80
"""Longest name, clinic and list of what a visit lacks in an SMS: so the built-in texts stay in one segment, or two."""

_FIELDS = Words.__slots__
_values = attrgetter(*_FIELDS)


class Environment(ImmutableSandboxedEnvironment):
    """A sandbox in which there are the words and nothing else, not even Jinja's own functions."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Return only what a template was given; a chain of maps, as Jinja makes it, costs more than the rendering."""
        return dict(d or {})


class Templates:
    """All templates of an installation.

    Args:
        folder: The installation's own templates, which go before the built-in ones; None for none.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._general: list[BaseLoader] = [DictLoader(built_in()), PackageLoader("notifier.wording")]
        self._clinics = folder / "clinics" if folder else None
        if folder:
            self._general.insert(0, FileSystemLoader(folder))
        self._environments: dict[str, Environment] = {}
        self._languages: dict[tuple[str, str], frozenset[str]] = {}
        self._several: dict[tuple[str, str], bool] = {}
        self._compiled: dict[tuple[str, str, str, str], Template] = {}

    def render(self, clinic_id: str, kind: str, part: Part, words: Words) -> str:
        """Return one part of a message: `subject.txt`, `text.txt`, `html` or `sms.txt`.

        An SMS says the clinic's phone only if it takes no more segments with it.
        """
        template = self._template(clinic_id, words.language, kind, part)
        if part != "sms.txt":
            return template.render(_told(words)).strip()
        short = replace(
            words,
            name=clipped(words.name, SMS_NAME),
            clinic=clipped(words.clinic, SMS_CLINIC),
            lacking=clipped(words.lacking, SMS_LACKING),
        )
        said = _sms(template, short)
        if not words.phone:
            return said
        silent = _sms(template, replace(short, phone=""))
        return said if segments(said).count <= segments(silent).count else silent

    def summary(self, clinic_id: str, words: Words) -> str:
        """Return what a calendar shows of the visit."""
        return self._template(clinic_id, words.language, "calendar", "summary.txt").render(_told(words)).strip()

    def languages(self, clinic_id: str, kind: str) -> frozenset[str]:
        """Return the languages in which all parts of the kind are there: the built-in ones and the installation's own.

        A language is a folder with a name that CLDR knows, such as `tr` or `pt-br`.
        """
        key = (self._own(clinic_id), kind)
        if key not in self._languages:
            there = set(self.environment(clinic_id).list_templates())
            found = {name.partition("/")[0] for name in there}
            self._languages[key] = LANGUAGES | {
                each for each in found if known_language(each) and there.issuperset(needed_for(each, kind))
            }
        return self._languages[key]

    def tells_of_several(self, clinic_id: str, kind: str) -> bool:
        """Say whether there are words for several visits of a day: whoever words a kind himself must word that too.

        Else his message would be ours as soon as it is about two visits.
        """
        key = (self._own(clinic_id), kind)
        if key not in self._several:
            folders = [self.folder, self._clinics and self._clinics / key[0]] if self.folder else []
            own = [path for folder in folders if folder for path in folder.glob(f"*/{kind}.*.j2")]
            self._several[key] = path_of(LAST_RESORT, kind + SEVERAL, PARTS[0]) in built_in() and all(
                path.with_name(path.name.replace(kind, kind + SEVERAL, 1)).is_file() for path in own
            )
        return self._several[key]

    def check(self) -> None:
        """Read the installation's own templates as they are written; `lint` looks at what comes out of them."""
        if self.folder is None:
            return
        if not self.folder.is_dir():
            raise Misconfigured(f"{self.folder}: no folder of templates")
        reader = Environment(loader=FileSystemLoader(self.folder))
        for name in reader.list_templates(extensions=["j2"]):
            try:
                reader.parse((self.folder / name).read_text(encoding="utf-8"), name)
            except (TemplateSyntaxError, UnicodeDecodeError, OSError) as error:
                line = f":{error.lineno}" if isinstance(error, TemplateSyntaxError) else ""
                told = error.message if isinstance(error, TemplateSyntaxError) else type(error).__name__
                raise Misconfigured(f"{self.folder / name}{line}: {told}") from None

    def clinics(self) -> Iterator[str]:
        """Give the codes of the clinics that have templates of their own, in order."""
        if self._clinics and self._clinics.is_dir():
            yield from sorted(path.name for path in self._clinics.iterdir() if path.is_dir())

    def environment(self, clinic_id: str) -> Environment:
        """Return what reads the templates of a clinic; one for all clinics that have none of their own."""
        key = self._own(clinic_id)
        if key not in self._environments:
            own: list[BaseLoader] = [FileSystemLoader(self._clinics / key)] if self._clinics and key else []
            self._environments[key] = Environment(
                loader=ChoiceLoader([*own, *self._general]),
                autoescape=_is_html,
                auto_reload=False,
                undefined=StrictUndefined,
                trim_blocks=True,
                lstrip_blocks=True,
            )
        return self._environments[key]

    def _template(self, clinic_id: str, language: str, kind: str, part: str) -> Template:
        key = (clinic_id, language, kind, part)
        if key not in self._compiled:
            self._compiled[key] = self.environment(clinic_id).get_template(path_of(language, kind, part))
        return self._compiled[key]

    def _own(self, clinic_id: str) -> str:
        """Return the clinic's code if it has templates of its own, else nothing."""
        return clinic_id if self._clinics and (self._clinics / clinic_id).is_dir() else ""


def checked(folder: Path | None) -> Templates:
    """Return the templates of an installation, all its own read."""
    templates = Templates(folder)
    templates.check()
    return templates


def needed_for(language: str, kind: str) -> set[str]:
    """Return where all the templates lie that a language must have for a kind."""
    return {*(path_of(language, kind, part) for part in PARTS), path_of(language, "calendar", "summary.txt")}


def known_language(tag: str) -> bool:
    """Say whether dates can be written in a language of this name."""
    if tag != tag.lower():
        return False
    try:
        Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        return False
    return True


def _sms(template: Template, words: Words) -> str:
    return without_typography(template.render(_told(words)).strip())


def _told(words: Words) -> dict[str, Any]:
    return dict(zip(_FIELDS, _values(words), strict=True))


def _is_html(name: str | None) -> bool:
    return name is not None and name.endswith(".html.j2")
