"""Looking for what is wrong with templates before a patient reads it: `python -m notifier templates lint`.

Each kind, language and part is rendered for plain names and for names of every evil, for a clinic that may be named
and one that may not, for a visit today, tomorrow and later, at home and abroad. What must be said must be there.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from icalendar import Calendar
from jinja2 import TemplateError, TemplateSyntaxError, meta

from notifier.carriers.smtp.mail import LONGEST_SUBJECT, Sender, entry_of
from notifier.gate.domain.visit import NO_DETAILS, Details
from notifier.template_tools import html_check
from notifier.template_tools.sample import AMERICAN, VISITS, Sample
from notifier.values.kinds import KINDS, NEWS, PATIENT_KINDS
from notifier.wording.domain.safe_text import clipped
from notifier.wording.domain.sms_segments import segments
from notifier.wording.renderer import PARTS, Part, Templates, known_language, needed_for
from notifier.wording.sentences import SEVERAL, path_of
from notifier.wording.words import LANGUAGES, Words, worded_as, words_of
from schemas.notifications import Kind

EASY_SUBJECT = 70
"""What most mail readers show of a subject; above it a warning."""

NAMES: dict[str, str | None] = {
    "a plain name": "Ada",
    "no name": None,
    "template syntax": "{{ 7 * 7 }}{% for x in (1).__class__.__mro__ %}{{ x }}{% endfor %}",
    "HTML": "<script>alert(1)</script><img src=x onerror=y>",
    "bidi characters": "\u202eadA\u202c\u2066x\u2069",
    "control characters": "Ada\r\nBcc: x@example.org\x00\x1b[31m",
    "an encoded word": "=?utf-8?q?hi=0ABcc:x@example.org?=",
    "a link": "https://evil.example/x Ada",
    "10,000 letters": "A" * 10_000,
    "another script": "नरेंद्र",
}
"""Names, of patients and of clinics, that every template must stand."""

_EVIL = tuple(case for case in NAMES if case not in {"a plain name", "no name"})

ANSWERED = frozenset({Kind.CONFIRMATION, Kind.REMINDER, Kind.TODAY})
"""Kinds that a patient may answer by code (B11)."""

SEGMENTS = {"ar": 2}
"""How many segments an SMS takes in a language that the GSM alphabet cannot write; one in all others.

One more if it is about several visits, which is still less than a message each, or lists what a visit lacks."""

_BAD = re.compile("[\u202a-\u202e\u2066\u2067\x00-\x08\x0b-\x1f\x7f]|None|Undefined")
_MAP = "https://maps.example.org/?q=1&z=2"
_SENDER = Sender("appointments@attend.example")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something that is wrong, or that should be known.

    Attributes:
        place: The template, below its folder; with its line where it is known.
        serious: An error; else a warning.
    """

    place: str
    what: str
    serious: bool = True


def lint(templates: Templates, kinds: Sequence[Kind] = PATIENT_KINDS) -> list[Finding]:
    """Return what is wrong with the templates: the installation's, the built-in ones under them, each clinic's own."""
    found: dict[Finding, None] = {}
    for clinic_id in ("", *templates.clinics()):
        for finding in (*_names(templates, clinic_id), *_all(templates, clinic_id, kinds)):
            found.setdefault(finding)
    return sorted(found)


def languages(templates: Templates, clinic_id: str) -> list[str]:
    """Return the languages that there is a folder for."""
    there = {name.partition("/")[0] for name in templates.environment(clinic_id).list_templates() if "/" in name}
    return sorted(LANGUAGES | {name for name in there if known_language(name)})


def _names(templates: Templates, clinic_id: str) -> Iterator[Finding]:
    """Give files that no message will ever use: a wrong language, kind or part; and languages half done."""
    there = set(templates.environment(clinic_id).list_templates())
    spoken = languages(templates, clinic_id)
    worded = [kind.value for kind in PATIENT_KINDS] + [kind.value + SEVERAL for kind in PATIENT_KINDS if kind in NEWS]
    used = {name for language, kind in product(spoken, worded) for name in needed_for(language, kind)}
    for name in sorted(there - used):
        if not name.startswith("clinics/") and not name.rpartition("/")[2].startswith("_"):
            yield Finding(_place(clinic_id, name), "no message uses it: a language, kind or part of another name")
    for language, kind in product(spoken, PATIENT_KINDS):
        if missing := sorted(needed_for(language, kind.value) - there):
            yield Finding(_place(clinic_id, missing[0]), f"missing, so {kind.value} is never said in {language}")
    for kind in sorted(NEWS):
        if not templates.tells_of_several(clinic_id, kind.value):
            place = _place(clinic_id, f"*/{kind.value}{SEVERAL}.*.j2")
            yield Finding(place, "missing, so several visits of a day are told in a message each", serious=False)


def _all(templates: Templates, clinic_id: str, kinds: Sequence[Kind]) -> Iterator[Finding]:
    for language, kind in product(languages(templates, clinic_id), kinds):
        for visits in (1, VISITS) if kind in NEWS and templates.tells_of_several(clinic_id, kind.value) else (1,):
            name = kind.value + (SEVERAL if visits > 1 else "")
            if language not in templates.languages(clinic_id, name):
                continue
            for part in PARTS:
                place = _place(clinic_id, path_of(language, name, part))
                source = list(_source(templates, clinic_id, path_of(language, name, part), place))
                yield from source
                if not source:
                    yield from _rendered(templates, clinic_id, kind, language, part, place, visits)
        yield from _entry(templates, clinic_id, kind, language)


def _source(templates: Templates, clinic_id: str, name: str, place: str) -> Iterator[Finding]:
    """Give what is wrong with the template as it is written."""
    environment = templates.environment(clinic_id)
    try:
        assert environment.loader is not None  # noqa: S101  # Templates always gives it one
        tree = environment.parse(environment.loader.get_source(environment, name)[0], name)
        environment.get_template(name)
    except TemplateSyntaxError as error:
        yield Finding(f"{place}:{error.lineno}", error.message or "cannot be read")
        return
    except TemplateError as error:
        yield Finding(place, f"{type(error).__name__}: {error.message}")
        return
    for unknown in sorted(meta.find_undeclared_variables(tree) - set(Words.__slots__) - {"self"}):
        yield Finding(place, f"there is no word {unknown!r}: {', '.join(Words.__slots__)}")


def _rendered(
    templates: Templates, clinic_id: str, kind: Kind, language: str, part: Part, place: str, visits: int
) -> Iterator[Finding]:
    """Give what is wrong with the template as it comes out."""
    for sample, case in _samples(clinic_id, kind, language):
        call = sample.with_(visits=visits).call()
        words = words_of(call, {language}, last_resort=language)
        try:
            said = templates.render(clinic_id, worded_as(call), part, words)
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
            told = f": {error.message}" if isinstance(error, TemplateError) else ""
            yield Finding(place, f"{case}: {type(error).__name__}{told}")
            return
        for finding in _judged(place, kind, part, words, said, case):
            yield finding
            if finding.serious:
                return


def _judged(place: str, kind: Kind, part: Part, words: Words, said: str, case: str) -> Iterator[Finding]:
    read = html_check.read(said) if part == "html" else None
    seen = read.text if read else said
    for fault in read.faults if read else ():
        yield Finding(place, f"{case}: {fault}")
    bad = _BAD.search(seen)
    if bad or ("{" in seen and "{" not in f"{words.clinic}{words.address}{words.preparation}"):  # no template's
        yield Finding(place, f"{case}: {bad[0] if bad else '{'!r} comes out")
    if part == "subject.txt":
        yield from _subject(place, said, case)
        return
    for what in _missing(part, words, seen):
        yield Finding(place, f"{case}: {what}")
    if part == "sms.txt":
        yield from _sms(place, said, case, words)
        if words.code and kind in ANSWERED and words.code not in said:
            yield Finding(place, f"{case}: it does not say the code to answer with", serious=False)


def _subject(place: str, said: str, case: str) -> Iterator[Finding]:
    if "\n" in said or not said:
        yield Finding(place, f"{case}: a subject is one line")
    if case == "a plain name" and len(said) > EASY_SUBJECT:
        yield Finding(place, f"{len(said)} characters, of which many readers show {EASY_SUBJECT}", serious=False)
    if len(said) > LONGEST_SUBJECT:
        yield Finding(place, f"{case}: {len(said)} characters, {LONGEST_SUBJECT} are sent", serious=False)


def _missing(part: Part, words: Words, seen: str) -> Iterator[str]:
    """Give what the message does not say and must: when, where, and how to opt out."""
    flat = " ".join(seen.split())
    date = words.short_date if part == "sms.txt" else words.date
    if words.times not in flat:
        yield "the time is missing"
    if words.day == "other" and date not in flat and words.short_date not in flat:
        yield "the date is missing"
    if words.zone and words.zone not in flat and words.short_zone not in flat:
        yield "the zone is missing, and the time could be read wrongly"
    clinic = clipped(words.clinic, 10)
    if clinic and clinic not in flat:
        yield "the clinic is missing"
    if part == "sms.txt" and words.stop and "STOP" not in flat:
        yield "STOP is missing, which carriers there ask for"


def _sms(place: str, said: str, case: str, words: Words) -> Iterator[Finding]:
    if "\n" in said:
        yield Finding(place, f"{case}: an SMS is one line")
    taken = segments(said)
    most = SEGMENTS.get(words.language[:2], 1) + (words.times != words.time) + bool(words.lacking)
    if taken.count > most and not case.startswith(_EVIL):
        outside = f", because of {taken.outside!r}" if taken.outside else ""
        yield Finding(
            place, f"{case}: {taken.count} segments ({taken.units} in {taken.alphabet}{outside})", serious=False
        )


def _entry(templates: Templates, clinic_id: str, kind: Kind, language: str) -> Iterator[Finding]:
    """Give what is wrong with the calendar entry, as an independent reader sees it."""
    if KINDS[kind].calendar is None:
        return
    place = _place(clinic_id, path_of(language, "calendar", "summary.txt"))
    for sample, case in _samples(clinic_id, kind, language):
        call = sample.call()
        words = words_of(call, {language}, last_resort=language)
        try:
            entry = Calendar.from_ical(entry_of(call, templates, words, _SENDER))
            event: Any
            [event] = entry.walk("VEVENT")
            same = event["UID"] == f"{call.visit.appointment_id}@attend" and event["DTSTART"].dt == call.visit.starts_at
        except (TemplateError, TypeError, ValueError, LookupError) as error:
            yield Finding(place, f"{case}: {type(error).__name__}")
            return
        if not same or not str(event["SUMMARY"]):
            yield Finding(place, f"{case}: the entry says another thing")
            return


def _samples(clinic_id: str, kind: Kind, language: str) -> Iterable[tuple[Sample, str]]:
    usual = Sample(kind, language, clinic_id or "NORTH")

    for case, name in NAMES.items():
        yield usual.with_(name=name), case
        if name is not None:
            yield (
                usual.with_(clinic_name=name, name=name, details=Details("+442079460018", name, _MAP, name)),
                f"{case}, of the clinic too" if case != "a plain name" else case,
            )
    yield usual.with_(sensitive=True), "a sensitive clinic"
    yield usual.with_(details=NO_DETAILS), "a clinic that nobody knows how to reach"
    yield usual.with_(mobile=AMERICAN), "a number abroad"
    yield usual.with_(code="4711"), "an answer asked for"
    if kind is Kind.REMINDER:
        for days, case in ((0, "a visit today"), (1, "a visit tomorrow"), (3, "a visit in three days")):
            yield usual.with_(days=days), case
            yield usual.with_(days=days, mobile=AMERICAN), f"{case}, a number abroad"


def _place(clinic_id: str, name: str) -> str:
    return f"clinics/{clinic_id}/{name}" if clinic_id else name
