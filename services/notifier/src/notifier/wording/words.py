"""The words of a message: all that a template may say, in the clinic's local time and the patient's language.

Dates and times come from babel (CLDR) and are remembered: the visits of a day share a few dozen of them, and
asking anew was a third of a message's cost.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

import phonenumbers.timezone
from babel.core import Locale, UnknownLocaleError, get_global
from babel.dates import format_date, format_skeleton, format_time, get_timezone_name
from babel.lists import format_list
from phonenumbers import NumberParseException, PhoneNumberFormat

from notifier.gate.domain.facts import Lack
from notifier.gate.domain.visit import NO_DETAILS, Details, mobile_of
from notifier.ledger.domain.notification import Call
from notifier.wording.domain.language import LAST_RESORT, Day, day_of, language, regions_of, zone_may_confuse
from notifier.wording.domain.safe_text import first_name, plain
from notifier.wording.sentences import SEVERAL, direction, languages, titles
from schemas.zones import zone_of

LANGUAGES = languages()
"""Languages with a complete set of built-in templates; a test renders all of them."""

NORTH_AMERICA = frozenset({"US", "CA", "PR"})
"""Where carriers ask that an SMS says how to opt out (CTIA, Messaging Principles and Best Practices 5.1.3)."""

LONGEST_ADDRESS, LONGEST_LINE = 300, 1000
"""Of a clinic's address, and of a line of its preparation text: as long as booking takes them."""

LONGEST_TITLE = 100
"""Of something that is missing."""

NO_COUNTRY, WORLD_ENGLISH = "ZZ", "en-001"
"""As CLDR calls the country of a zone that is in none, and English where it has no English of the country."""

NOWHERE = phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY
"""The country of numbers that belong to none, such as +800."""


def worded_as(call: Call) -> str:
    """Return by which name the templates of a message go: its kind, or that of the sentences about several visits."""
    return f"{call.kind.value}{SEVERAL}" if call.also else call.kind.value


@dataclass(frozen=True, slots=True)
class Lacking:
    """One thing that the visit still lacks, as a mail lists it: `how` and `link` are empty if there is none."""

    title: str
    how: str
    link: str


@dataclass(frozen=True, slots=True)
class Words:
    """What a message may say, ready for any template: nothing else about the patient reaches one (D35).

    Attributes:
        name: First name; empty if unknown, or if somebody else reads it.
        clinic: The clinic's display name; empty at a sensitive clinic.
        date: The day in full: `Wednesday, 3 March 2027` in London, `Wednesday, March 3, 2027` in New York.
        short_date: The day for an SMS or a subject: `Wed 3 Mar`, `Wed, Mar 3`; with the year if it is another one.
        times: The times of all visits that the message is about, as the language lists them; `time` if it is one.
        zone: The zone in words; empty if the time cannot be read wrongly.
        short_zone: The zone for an SMS: `CET`, `UTC+5:30`; empty as `zone` is.
        day: `today`, `tomorrow` or `other`, as seen from the moment of sending.
        code: With it an answer confirms or cancels the visit (B11); empty if answers are not read.
        phone: The clinic's or service's, to call from anywhere: `+44 20 7946 0018`; as the three below empty if there
            is none, and at a sensitive clinic.
        address: Where to come, on one line.
        directions: The address of a page, https.
        preparation: What to do before, under the time of each visit where it differs; line breaks stand.
        lacking: What the visit still lacks, as the language lists it; empty at a sensitive clinic.
        lacks: The same one by one, each with how to get it and where.
        link: The page for all of it, https; empty if there is none, or are several.
        direction: `rtl` if the language is written from right to left, else `ltr`.
    """

    language: str
    name: str
    clinic: str
    date: str
    short_date: str
    time: str
    zone: str
    short_zone: str
    day: str
    stop: bool
    code: str = ""
    phone: str = ""
    address: str = ""
    directions: str = ""
    preparation: str = ""
    direction: str = "ltr"
    times: str = ""
    lacking: str = ""
    lacks: tuple[Lacking, ...] = ()
    link: str = ""


def words_of(
    call: Call,
    available: Collection[str] = LANGUAGES,
    *,
    last_resort: str = LAST_RESORT,
    stop_countries: Collection[str] = NORTH_AMERICA,
    answers: bool = True,
) -> Words:
    """Return the words of a message.

    Args:
        answers: Whether an answer to this message reaches us; if not, it asks for none.
    """
    visit = call.visit
    if visit.starts_at is None:
        raise ValueError("the gate lets no message pass without a start")
    spoken = language(visit.language, visit.clinic_languages, available, last_resort)
    customs = _customs(spoken, visit.language, visit.clinic_languages, visit.clinic_country, visit.zone)
    zone = zone_of(visit.zone)
    local, now = visit.starts_at.astimezone(zone), call.at.astimezone(zone)
    country, homes = _home_of(mobile_of(visit))
    confusing = visit.told_elsewhere or zone_may_confuse(visit.starts_at, visit.zone, homes)
    long_zone, short_zone = _zone(local, visit.zone, customs) if confusing else ("", "")
    day, short_day = _date(local.date(), customs, local.year == now.year)
    time = _time(local.time(), customs)
    told = _told_of(call, customs)
    reached = NO_DETAILS if visit.clinic_sensitive else visit.clinic_details
    lacks = () if visit.clinic_sensitive else tuple(_lacking(one, spoken) for one in call.lacks)
    return Words(
        language=spoken,
        name=first_name(visit.given_name) if visit.contact_of is None else "",
        clinic="" if visit.clinic_sensitive else plain(visit.clinic_name),
        date=day,
        short_date=short_day,
        time=time,
        zone=long_zone,
        short_zone=short_zone,
        day=(Day.OTHER if call.at > visit.starts_at else day_of(visit.starts_at, call.at, visit.zone)).value,
        stop=answers and country in stop_countries,
        code=call.code if answers else "",
        phone=_to_call(_only({one.phone for _, one in told})),
        address=plain(reached.address, LONGEST_ADDRESS),
        directions=reached.directions_url if reached.directions_url.startswith("https://") else "",
        preparation=_preparation(told),
        direction=direction(spoken),
        times=plain(format_list([*dict.fromkeys(at for at, _ in told)], locale=customs)) if call.also else time,
        lacking=plain(format_list([*dict.fromkeys(one.title for one in lacks)], locale=customs)),
        lacks=lacks,
        link=_only({one.link for one in lacks}),
    )


def _lacking(lack: Lack, spoken: str) -> Lacking:
    """Return what is missing by the clinic's name of it, else by that of the language."""
    title = lack.title or titles(spoken).get(lack.kind, lack.kind)
    link = lack.link if lack.link.startswith("https://") else ""
    return Lacking(plain(title, LONGEST_TITLE), plain(lack.how, LONGEST_LINE), link)


def _told_of(call: Call, customs: str) -> list[tuple[str, Details]]:
    """Return the time of each visit, and how its clinic says that it is reached and prepared; soonest first."""
    visits = [one.visit for one in call.every]
    return [
        (
            _time(visit.starts_at.astimezone(zone_of(visit.zone)).time(), customs) if visit.starts_at else "",
            NO_DETAILS if visit.clinic_sensitive else visit.clinic_details,
        )
        for visit in visits
    ]


def _preparation(told: Sequence[tuple[str, Details]]) -> str:
    """Return what to do before: once if it is the same for all visits, else each under its time."""
    texts = [(at, "\n".join(plain(line, LONGEST_LINE) for line in one.preparation.splitlines())) for at, one in told]
    if len({text for _, text in texts}) == 1:
        return texts[0][1]
    return "\n".join(f"{at}:\n{text}" for at, text in texts if text)


def _only(found: Collection[str]) -> str:
    """Return the one that there is; nothing if there are several."""
    return next(iter(found)) if len(found) == 1 else ""


@lru_cache(maxsize=1024)
def _customs(spoken: str, wanted: str | None, clinic_languages: tuple[str, ...], country: str | None, zone: str) -> str:
    """Return the locale whose customs dates and times follow, as babel calls it.

    The language as the clinic's country writes it; where CLDR knows no such, or the country is not known, that of a tag
    with a region, else of the country of the clinic's zone, else of the language alone; of English as the world writes
    it, for English alone is American. A country in which another script is used than the templates may have (Serbian in
    Montenegro) counts only in a tag.
    """
    lies_in = _country_of(zone)
    found = (
        _there(spoken, country),
        *(_locale(tag) for tag in regions_of(spoken, wanted, clinic_languages)),
        _there(spoken, lies_in),
        _locale(WORLD_ENGLISH) if spoken == "en" and (country or lies_in != NO_COUNTRY) else None,
    )
    return str(next(filter(None, found), None) or Locale.parse(spoken, sep="-"))


def _there(spoken: str, country: str | None) -> Locale | None:
    """Return how a language is written in a country, if CLDR knows that and it is the language's usual script."""
    there = _locale(f"{spoken}-{country}") if country else None
    return there if there and there.territory == country and not there.script else None


def _locale(tag: str) -> Locale | None:
    try:
        return Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        return None


def _country_of(zone: str) -> str:
    """Return the country of an IANA zone by CLDR, also by a name that it had; ZZ for UTC and the like."""
    return str(get_global("zone_territories").get(get_global("zone_aliases").get(zone, zone), NO_COUNTRY))


@lru_cache(maxsize=2048)
def _date(day: date, customs: str, this_year: bool) -> tuple[str, str]:
    short = format_skeleton("MMMEd" if this_year else "yMMMEd", day, locale=customs)
    return plain(format_date(day, "full", locale=customs)), plain(short)


@lru_cache(maxsize=4096)
def _time(local: time, customs: str) -> str:
    return plain(format_time(local, "short", locale=customs))


def _zone(local: datetime, name: str, customs: str) -> tuple[str, str]:
    """Return the zone's long and short name at that time: the same for all times of the same offset."""
    key = (name, local.utcoffset(), local.dst(), customs)
    found = _ZONES.get(key)
    if found is None:
        found = _ZONES[key] = _zone_names(local, customs)
    return found


_ZONES: dict[tuple[str, timedelta | None, timedelta | None, str], tuple[str, str]] = {}


def _zone_names(local: datetime, customs: str) -> tuple[str, str]:
    short = get_timezone_name(local, width="short", locale=customs)
    if not short.isalpha():
        offset = local.utcoffset() or timedelta()
        hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
        short = f"UTC{'-' if offset < timedelta() else '+'}{hours}" + (f":{minutes:02}" if minutes else "")
    return plain(get_timezone_name(local, locale=customs)), plain(short)


@lru_cache(maxsize=1024)
def _to_call(phone: str) -> str:
    """Return a number of E.164 as it is read and dialled in every country; empty if it is none."""
    try:
        return str(phonenumbers.format_number(phonenumbers.parse(phone), PhoneNumberFormat.INTERNATIONAL))
    except NumberParseException:
        return ""


@lru_cache(maxsize=4096)
def _home_of(mobile: str | None) -> tuple[str | None, tuple[str, ...]]:
    """Return the country and the zones in which a number may be at home; None and none if that is not known."""
    if mobile is None:
        return None, ()
    try:
        number = phonenumbers.parse(mobile)
    except NumberParseException:
        return None, ()
    country = phonenumbers.region_code_for_number(number)
    if country is None or country == NOWHERE:
        return None, ()
    # by its first digits alone: to tell the kind of number first, as the other function does, took ten times as long
    return country, tuple(phonenumbers.timezone.time_zones_for_geographical_number(number))
