"""Messages as files to look at, and a page that shows them side by side: `python -m notifier templates preview`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from notifier.carriers.meta.carrier import TEMPLATES, body_of
from notifier.carriers.smtp.mail import Sender, entry_of
from notifier.template_tools.lint import ANSWERED
from notifier.template_tools.sample import AMERICAN, VISITS, Sample
from notifier.values.kinds import KINDS, NEWS
from notifier.wording.domain.sms_segments import Segments, segments
from notifier.wording.renderer import Templates
from notifier.wording.sentences import SEVERAL
from notifier.wording.words import worded_as, words_of
from schemas.notifications import Channel, Kind

DAYS: dict[Kind, dict[str, int]] = {Kind.REMINDER: {"today": 0, "tomorrow": 1, "later": 3}}
"""Kinds that say another thing by the day, and days for each."""

_SENDER = Sender("appointments@attend.example")
_FRAME_PX = 520


@dataclass(frozen=True, slots=True)
class Short:
    """An SMS to one sort of number, and what it takes."""

    case: str
    text: str
    taken: Segments


@dataclass(frozen=True, slots=True)
class Page:
    """One message in one language, in all its parts."""

    name: str
    title: str
    language: str
    subject: str
    text: str
    html: str
    sms: tuple[Short, ...]
    whatsapp: dict[str, Any] | None
    entry: str | None


def pages(
    templates: Templates, kinds: Iterable[Kind], languages: Iterable[str], clinic_id: str = "NORTH", *, sensitive: bool
) -> Iterator[Page]:
    """Give each message of each kind, day and language, and those about several visits."""
    spoken = list(languages)
    for kind in kinds:
        for day, days in DAYS.get(kind, {"": None}).items():
            for language in spoken:
                title = f"{kind.value}-{day}" if day else kind.value
                sample = Sample(kind, language, clinic_id, sensitive=sensitive, days=days)
                yield page(templates, sample, title)
        if kind in NEWS:
            for language in spoken:
                sample = Sample(kind, language, clinic_id, sensitive=sensitive, visits=VISITS)
                yield page(templates, sample, kind.value + SEVERAL)


def page(templates: Templates, sample: Sample, title: str) -> Page:
    """Return one message in all its parts."""
    call, language, clinic_id = sample.call(), sample.language, sample.clinic_id
    words, kind = words_of(call, {language}, last_resort=language), worded_as(call)
    approved = TEMPLATES.get(sample.kind)
    return Page(
        name=f"{title}.{language}",
        title=title,
        language=language,
        subject=templates.render(clinic_id, kind, "subject.txt", words),
        text=templates.render(clinic_id, kind, "text.txt", words),
        html=templates.render(clinic_id, kind, "html", words),
        sms=tuple(_sms(templates, sample)),
        whatsapp=body_of(sample.call(Channel.WHATSAPP), approved)["template"] if approved else None,
        entry=entry_of(call, templates, words, _SENDER).decode() if KINDS[sample.kind].calendar else None,
    )


def write(made: Iterable[Page], out: Path, *, clinic: str = "", sensitive: bool = False) -> list[Path]:
    """Write the pages below a folder, and `index.html`; what was there under these names is overwritten."""
    out.mkdir(parents=True, exist_ok=True)
    written, all_pages = [], list(made)
    for one in all_pages:
        parts = {
            "txt": f"Subject: {one.subject}\n\n{one.text}\n",
            "html": one.html + "\n",
            "sms.txt": "".join(f"{short.text}\n" for short in one.sms),
            **({"ics": one.entry} if one.entry else {}),
        }
        for ending, content in parts.items():
            written.append(out / f"{one.name}.{ending}")
            written[-1].write_text(content, encoding="utf-8", newline="")
    index = Environment(
        loader=PackageLoader("notifier.template_tools", "page"), autoescape=True, undefined=StrictUndefined
    )
    written.append(out / "index.html")
    groups = {one.title: [each for each in all_pages if each.title == one.title] for one in all_pages}
    content = index.get_template("index.html.j2").render(
        groups=groups, clinic=clinic, sensitive=sensitive, height=_FRAME_PX
    )
    written[-1].write_text(content, encoding="utf-8")
    return written


def _sms(templates: Templates, sample: Sample) -> Iterator[Short]:
    cases = {"at home": sample, "abroad, where STOP must be named": sample.with_(mobile=AMERICAN)}
    if sample.kind in ANSWERED and sample.visits == 1:
        cases["where answers are read"] = sample.with_(code="4711")
    for case, one in cases.items():
        call = one.call(Channel.SMS)
        words = words_of(call, {sample.language}, last_resort=sample.language)
        text = templates.render(sample.clinic_id, worded_as(call), "sms.txt", words)
        yield Short(case, text, segments(text))
