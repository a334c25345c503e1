"""What PID says of a patient: his name, numbers, addresses and language; `""` takes away, empty says nothing."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from babel.core import get_global
from phonenumbers import country_code_for_region

from booking.formats.hl7v2.segments import NULL, Message, Segment
from booking.patients.domain.details import Addresses, PersonDetails
from booking.profiles.domain import Extra, Profile
from booking.values.unset import UNSET
from booking.values.warned import Details

_NAME, _LANGUAGE, _DIED, _IS_DEAD = 5, 15, 29, 30
_TELECOMS = (13, 14, 40)
_BUSINESS = 14

_NAME_TYPES = ("D", "L", "CURRENT", "", "N")
"""Best first: what he is called, his legal name. A maiden, a former and an alias greet nobody."""

_MOBILE = frozenset({"CP", "PRS", "ORN", "MOBILE", "MOB", "CELL", "M"})
_MAIL = frozenset({"NET", "INTERNET", "X.400", "X400", "EMAIL", "E-MAIL", "MAIL"})
_NO_TEXT = frozenset({"EMR", "ASN", "FX", "FAX", "BP", "BPN", "PAGER", "MD", "TDD", "TTY"})
"""Of others, whom he names for emergencies, and what takes no text; whatever else it is said to be."""
_NOT_HIS = frozenset({"WPN", "BUSINESS", "WORK", "W", "VHN", "SAT"})
"""At work and elsewhere, unless it is a mobile."""
_AT_HOME = frozenset({"PRN", "PH", "HOME", "H"})
_KINDS = _MOBILE | _MAIL | _NO_TEXT | _NOT_HIS | _AT_HOME
_OLD_FORM = re.compile(r"([\d\s()+./-]{6,}(?:X\d+)?)(?:B\d+)?C([A-Z ]+)", re.IGNORECASE)
"""TN of HL7 2.1 to 2.3, with what is said of the number behind its extension and its beeper."""
_FEWEST_DIGITS = 7
"""Of a number in a component that is not its own: with fewer it may be an extension."""

_NO_LANGUAGE = frozenset({"", "NSP", "UNKNOWN", "UNK", "UND", "."})
_LANGUAGE_CODE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")


class _Telecom(NamedTuple):
    """One repetition of XTN, as far as it is his.

    Attributes:
        mark: What it is: mobile, phone, email, or other.
        written: The number or address; None: it is taken away.
        field: Of PID, where it stands; and its repetition there, from 0.
    """

    mark: str
    written: str | None
    field: int
    repetition: int = 0


def person_of(person: Segment, message: Message, profile: Profile, details: Details) -> PersonDetails:
    """Return what a message says of its patient; where it stands is noted in `details`."""
    extra = {field: _text(message, path) for field, path in profile.hl7v2.extra.items()}
    given, family = _name(person)
    telecoms = [one for field in _TELECOMS for one in _telecoms(person, field)]
    mobiles = [extra.get(Extra.MOBILE), *_written(telecoms, "mobile"), *_written(telecoms, "phone")]
    emails = [extra.get(Extra.EMAIL), *_written(telecoms, "email")]
    gone = {one.mark for one in telecoms if one.written is None}
    if details.trail is not None:
        _note_places(person, telecoms, extra, profile, details)
    return PersonDetails(
        given_name=extra.get(Extra.GIVEN_NAME) or given,
        family_name=extra.get(Extra.FAMILY_NAME) or family,
        own=Addresses(_unique([*mobiles, extra.get(Extra.LANDLINE)]), _unique(emails)),
        language=language_of(extra.get(Extra.LANGUAGE) or person.text(_LANGUAGE)),
        deceased=_deceased(person),
        has_no_mobile="mobile" in gone or "all" in gone,
        has_no_email="email" in gone or "all" in gone,
        country=profile.country,
        language_otherwise=profile.language,
    )


_FIELDS_OF_MARKS = {"mobile": "mobile", "phone": "mobile", "email": "email", "all": "mobile"}
"""What a number or address is → the field for which it is tried; others are not read."""


def _note_places(
    person: Segment, telecoms: Iterable[_Telecom], extra: Mapping[Extra, str | None], profile: Profile, details: Details
) -> None:
    """Note where what is said of the patient stands."""
    for field, path in profile.hl7v2.extra.items():
        if extra[field] and field not in {Extra.SERVICE_TYPE, Extra.CLINIC}:
            called = Extra.MOBILE if field is Extra.LANDLINE else field
            details.took(f"person.{called}", path, f"hl7v2.extra.{field}")
    given, family = _name(person)
    for name, said in (("given_name", given), ("family_name", family)):
        if said:
            details.took(f"person.{name}", f"PID-{_NAME}")
    for one in telecoms:
        if (field_of := _FIELDS_OF_MARKS.get(one.mark)) is not None:
            place = f"PID-{one.field}" + (f"[{one.repetition + 1}]" if one.repetition else "")
            rule = f"read as {one.mark}" if one.written else '`""` takes it away'
            details.took(f"person.{field_of}", place, "", rule)
    if language_of(person.text(_LANGUAGE)):
        details.took("person.language", f"PID-{_LANGUAGE}")
    if _deceased(person) is not None:
        details.took("person.deceased", f"PID-{_IS_DEAD if person.text(_IS_DEAD) else _DIED}")
    for knob in ("country", "language"):
        if getattr(profile, knob) is not None:
            details.took(f"person.{knob}", "", knob, "where nothing else says it")


def _text(message: Message, path: str) -> str | None:
    found = message.at(path)
    return None if found is UNSET else found


def _unique(written: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in written if one))


def _written(telecoms: Iterable[_Telecom], mark: str) -> Iterator[str]:
    return (one.written for one in telecoms if one.mark == mark and one.written)


def _name(person: Segment) -> tuple[str | None, str | None]:
    """Return first given name and family name of the best of his names."""
    found = []
    for one in range(person.repetitions(_NAME)):
        family, given = (person.text(_NAME, number, 1, one) for number in (1, 2))
        kind = person.text(_NAME, 7, 1, one)
        if (family or given) and kind in _NAME_TYPES:
            found.append((_NAME_TYPES.index(kind), given or None, family or None))
    _, given_name, family_name = min(found, key=lambda one: one[0], default=(0, None, None))
    return given_name, family_name


_ROOM = ("",) * 12
"""Of the components of XTN the twelfth is the last that is read."""


def _telecoms(person: Segment, field: int) -> Iterator[_Telecom]:
    """Yield his numbers and addresses of one field; at work he takes mail, and no texts."""
    if not person.written(field):
        return
    if all(person.row(field, one) in ([NULL], [""]) for one in range(person.repetitions(field))):
        yield _Telecom("other" if field == _BUSINESS else "all", None, field)
        return
    for one in range(person.repetitions(field)):
        written = [*person.row(field, one), *_ROOM][: len(_ROOM)]
        parts = ["" if part == NULL else part for part in written]
        number, comment = _of_old_form(parts[0])
        parts[0] = number
        marks = {part.upper() for part in (parts[1], parts[2], comment)} | _KINDS.intersection([parts[3].upper()])
        mail = next((part for part in (parts[0], parts[3]) if "@" in part), None)
        if mail is not None:
            yield _Telecom("email", mail, field, one)
        phone = _phone(parts)
        if written[0] == NULL or (not phone and written[3] == NULL):
            yield _Telecom(_mark(marks, field), None, field, one)
        elif phone and "@" not in phone and not marks & _MAIL:
            yield _Telecom(_mark(marks, field), phone, field, one)


def _mark(marks: set[str], field: int) -> str:
    if marks & _MAIL:
        return "email"
    if marks & _NO_TEXT:
        return "other"
    if marks & _MOBILE:
        return "mobile"
    return "other" if marks & _NOT_HIS or field == _BUSINESS else "phone"


def _phone(parts: Sequence[str]) -> str:
    """Return the number as it is dialled: as one text, by country, area and local number, or unformatted."""
    first, country, area, local, whole = (parts[number - 1] for number in (1, 5, 6, 7, 12))
    if first:
        return first
    if local or _is_number(area):
        return " ".join(part for part in (_dialling(country), area, local) if part)
    return whole or next((parts[number] for number in (3, 7, 8, 9, 10) if _is_number(parts[number])), "")


def _is_number(part: str) -> bool:
    """Say whether a component holds a whole number: some write it one place too far, or with its area."""
    return "@" not in part and sum(map(str.isdigit, part)) >= _FEWEST_DIGITS


def _dialling(country: str) -> str:
    """Return what is dialled before a number of a country: its code is written `44`, `+44`, `0044` or `GB`."""
    code = country_code_for_region(country.upper()) if country.isalpha() else 0
    digits = str(code) if code else country.lstrip("+0")
    return f"+{digits}" if digits else ""


def _of_old_form(written: str) -> tuple[str, str]:
    found = _OLD_FORM.fullmatch(written)
    return (found[1], found[2].strip()) if found else (written, "")


def language_of(written: str) -> str | None:
    """Return a language by its shortest code: `eng` is `en`; None if it is a placeholder or no code."""
    text = written.strip()
    if text.upper() in _NO_LANGUAGE or text == NULL or not _LANGUAGE_CODE.fullmatch(text):
        return None
    first, *rest = text.replace("_", "-").split("-")
    short: str = get_global("language_aliases").get(first.lower(), first.lower())
    return "-".join([short, *rest])


def _deceased(person: Segment) -> bool | None:
    """Return whether he is dead: by PID-30, else because PID-29 says when he died."""
    indicator = person.text(_IS_DEAD).upper()
    if indicator in {"Y", "N"}:
        return indicator == "Y"
    return True if person.text(_DIED)[:4].isdigit() else None
