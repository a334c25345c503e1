"""The built-in templates: one layout for all mails, and a file for each language with its sentences.

Their sources are put together once, each as a file of an installation would have it, so that such a file takes the
place of any one of them. In a sentence `$name` stands for a phrase: of its language's file, or of those below. A
sentence stands in HTML as it is written, so none holds a `<` or an `&`.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any, NamedTuple

from babel.core import Locale

from notifier.wording.domain.language import LAST_RESORT

PHRASES = {
    "comma": ", ",
    "clock": "",
    "time": "{{ time }}$clock",
    "at": "{% if clinic %}$at_clinic{% endif %}",
    "stop": "{% if stop %}$how_to_stop{% endif %}",
    "zone": "{% if short_zone %} ({{ short_zone }}){% endif %}",
    "place": "{% if clinic %}$comma$clinic{% endif %}",
    "when": "{{ short_date }}$comma$time$zone$place",
    "all": "{{ short_date }}$comma{{ times }}$clock$zone$place",
}
"""What languages say alike, in an SMS above all; a language's file may say it in its own way."""

ACCENTS = {"moved": "#9a5b00", "cancelled": "#b42318", "no-show": "#52606d"}
"""The colour at the head of a mail where it is another one than the layout's."""

SEVERAL = "-several"
"""Behind the name of a kind: its sentences about several visits of a day."""

LACKING = frozenset({"clearance-missing"})
"""Kinds that list what a visit still lacks."""

LACKS = ("financial", "consent", "referral", "identity")
"""What a visit may lack that every language has a name for; a clinic names what else it asks for."""

NO_VISIT_AHEAD = frozenset({"cancelled", "no-show"})
"""Kinds of which nobody asks where to come, and what to bring."""


@cache
def built_in() -> Mapping[str, str]:
    """Return the source of each template that is made of sentences, by its path below a folder of templates."""
    sources: dict[str, str] = {}
    for language, said in _files().items():
        sources |= dict(_sources(language, said))
    clocks, directions = ({of: said.get(word, "") for of, said in _files().items()} for word in ("clock", "directions"))
    return {
        **sources,
        "_time.j2": f'{{{{ times }}}}{{{{ {_literal(clocks)}[language[:2]] | default("") }}}}',
        "_directions.html.j2": f"{{{{ {_literal(directions)}[language[:2]] | default(directions) }}}}",
    }


def languages() -> frozenset[str]:
    """Return the languages that there are sentences in, each of them for every kind of message."""
    return frozenset(_files())


class Unsubscribe(NamedTuple):
    """What the page behind a mail's link says in one language.

    Attributes:
        done: After the button was pressed.
        reminders: What `Category.REMINDERS` is; `notices` likewise.
        void: Of a link that is not ours, or not any more; `instead` is what to do then.
        later: Where nothing could be read or stopped just now.
    """

    question: str
    button: str
    done: str
    reminders: str
    notices: str
    void: str
    instead: str
    later: str


def unsubscribing() -> Mapping[str, Unsubscribe]:
    """Return language → what the page behind a mail's link says in it."""
    return {language: Unsubscribe(*said["unsubscribe"]) for language, said in _files().items()}


def at_whatsapp() -> Mapping[str, str]:
    """Return language → Meta's code of it."""
    return {language: said["whatsapp"] for language, said in _files().items()}


@cache
def titles(language: str) -> Mapping[str, str]:
    """Return what a visit may lack → what the language calls it; the last resort's names for one without a file."""
    said = _files().get(language) or _files()[LAST_RESORT]
    return {kind: said[kind] for kind in LACKS}


def direction(language: str) -> str:
    """Return `rtl` for a language that is written from right to left, else `ltr`, by CLDR."""
    return str(Locale.parse(language, sep="-").text_direction)


def path_of(language: str, kind: str, part: str) -> str:
    """Return where a template lies, below a folder of templates."""
    return f"{language}/{kind}.{part}.j2"


@cache
def _files() -> Mapping[str, Mapping[str, Any]]:
    """Return language → what its file says."""
    found = sorted((files("notifier.wording") / "languages").iterdir(), key=lambda file: file.name)
    return {one.name.removesuffix(".toml"): tomllib.loads(one.read_text(encoding="utf-8")) for one in found}


def _sources(language: str, said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    in_text, in_html = _phrases(language, said, "\u2068{}\u2069", {}), _phrases(language, said, "<bdi>{}</bdi>", _HTML)
    yield path_of(language, "calendar", "summary.txt"), Template(said["summary"]).substitute(in_text)
    for kind, of in said.items():
        if isinstance(of, Mapping):
            for part, source in _parts(kind, of).items():
                phrases = in_html if part == "html" else in_text
                yield path_of(language, kind, part), Template(source).substitute(phrases)


_HTML = {"phone": '{% include "_phone.html.j2" %}'}


def _phrases(language: str, said: Mapping[str, Any], isolated: str, of_part: Mapping[str, str]) -> Mapping[str, str]:
    """Return the phrases of a language, by name.

    Args:
        isolated: How a name of the other direction is kept from turning what stands around it (UAX 9, 3.1.2).
    """
    as_is = isolated if direction(language) == "rtl" else "{}"
    names = {name: as_is.format(f"{{{{ {name} }}}}") for name in ("name", "clinic", "phone", "lacking")}
    own = {name: phrase for name, phrase in said.items() if isinstance(phrase, str)}
    phrases: dict[str, str] = {**names, **of_part}
    for name, phrase in {**own, **PHRASES, **own}.items():  # its own first: the common ones are made of them
        phrases[name] = Template(phrase).substitute(phrases)
    return phrases


def _parts(kind: str, said: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the four parts of a kind of message, their phrases still by name."""
    kind = kind.removesuffix(SEVERAL)
    before, after, place = ["$hello", said["first"]], said["then"], kind not in NO_VISIT_AHEAD
    accent = f"{{% block accent %}}{ACCENTS[kind]}{{% endblock %}}\n" if kind in ACCENTS else ""
    html = [
        *(f"<p>{sentence}</p>" for sentence in before),
        '{% include "_visit.html.j2" %}',
        *(['{% include "_place.html.j2" %}'] if place else []),
        *(['{% include "_lacking.html.j2" %}'] if kind in LACKING else []),
        *(f"<p>{sentence}</p>" for sentence in after),
    ]
    visit = '{% include "_visit.txt.j2" +%}' + ('\n{% include "_place.txt.j2" %}' if place else "")
    lacking = ['{% include "_lacking.txt.j2" %}'] if kind in LACKING else []
    return {
        "subject.txt": said["subject"],
        "sms.txt": said["sms"],
        "text.txt": "\n\n".join([*map(_line, before), visit, *lacking, *map(_line, after)]),
        "html": '{% extends "_layout.html.j2" %}\n'
        f"{{% block title %}}{said['title']}{{% endblock %}}\n{accent}"
        "{% block content %}\n" + "\n".join(html) + "\n{% endblock %}",
    }


def _line(sentence: str) -> str:
    """Return a sentence after which a line ends: Jinja takes the end away after a tag."""
    return f"{sentence}{{{{ '' }}}}"


def _literal(words: Mapping[str, str]) -> str:
    return json.dumps(words, ensure_ascii=False)
