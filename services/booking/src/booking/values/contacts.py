"""Phone numbers and addresses of mail and pages, as carriers want them and messages show them."""

import re
from functools import lru_cache
from typing import Annotated, NamedTuple

import email_validator
import phonenumbers
from phonenumbers import CountryCodeSource, PhoneNumberFormat, PhoneNumberType, ValidationResult
from pydantic import AnyUrl, TypeAdapter, UrlConstraints, ValidationError

from booking.values import texts
from booking.values.refusals import Refused

_TAKES_NO_TEXT = frozenset(
    {PhoneNumberType.FIXED_LINE, PhoneNumberType.TOLL_FREE, PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST}
    | {PhoneNumberType.PAGER, PhoneNumberType.UAN, PhoneNumberType.VOICEMAIL}
)
"""Kinds of numbers that take neither SMS nor WhatsApp. What may be a mobile, or is in no list of ranges, is one."""

_SAYS_ITS_COUNTRY = frozenset(
    {CountryCodeSource.FROM_NUMBER_WITH_PLUS_SIGN, CountryCodeSource.FROM_NUMBER_WITH_IDD},
)

_FOR_EXAMPLES = re.compile(r"\+447700900\d{3}")
"""Ofcom's mobile numbers for films and examples: nobody has them, so no list of ranges does."""

_RENUMBERED = (
    (re.compile(r"^\+52(?:1|04[45])(\d{10})$"), r"+52\1"),
    (re.compile(r"^\+55(\d\d)([6-9]\d{7})$"), r"+55\g<1>9\2"),
)
"""Mobile numbers as they were written before their country renumbered, and as they are dialled now: Mexico had a 1
before them until 2019, Brazil has a ninth digit in them since 2016."""


READ_BEFORE = 10_000
"""Numbers and addresses that are read once: a patient's next message and visit repeat them, and reading one takes as
long as all else of a booking."""

_MAILTO = re.compile(r"^mailto:\s*", re.IGNORECASE)

LONGEST_URL = 1000
_HTTPS: TypeAdapter[AnyUrl] = TypeAdapter(Annotated[AnyUrl, UrlConstraints(allowed_schemes=["https"])])


def phone(written: str, country: str | None, place: str) -> str:
    """Return a number that can be called from anywhere, of whatever kind, in E.164.

    Args:
        written: As people write it; national if without `+`.
        country: ISO 3166 code by which a national number is read; None if nobody knows.

    Raises:
        Refused: BAD_PHONE, for a number that cannot be one by its length, or a national one that is in no range of its
            country: read by the wrong one it would be a stranger's. Whether the range of an international one is in use
            is the carrier's to say: lists of ranges are older than some phones. NO_COUNTRY, for a national number
            without a country.
    """
    return _good(_number(written, country), place).e164


def mobile(written: str, country: str | None, place: str) -> str:
    """Return a number that takes a text, in E.164.

    Args:
        written: As people write it; national if without `+`.
        country: ISO 3166 code by which a national number is read; None if nobody knows.

    Raises:
        Refused: As `phone`; NOT_A_MOBILE, for a landline and the like.
    """
    number = _good(_number(written, country), place)
    if not number.takes_text:
        raise Refused("NOT_A_MOBILE", "a landline or service number takes no SMS and no WhatsApp", place)
    return number.e164


class _Number(NamedTuple):
    e164: str
    takes_text: bool


class _Wrong(NamedTuple):
    code: str
    message: str


def _good[T: (_Number, str)](read: T | _Wrong, place: str) -> T:
    if isinstance(read, _Wrong):
        raise Refused(read.code, read.message, place)
    return read


@lru_cache(READ_BEFORE)
def _number(written: str, country: str | None) -> _Number | _Wrong:
    """Return a number that can be called, or why it cannot: see `phone`."""
    try:
        number = phonenumbers.parse(written, country, keep_raw_input=True)
    except phonenumbers.NumberParseException as error:
        if error.error_type == error.INVALID_COUNTRY_CODE and country is None and not written.strip().startswith("+"):
            message = "a national number is read by a country, and none is known: write it with + and its country code"
            return _Wrong("NO_COUNTRY", message)
        return _Wrong("BAD_PHONE", "not a phone number")
    if number.extension:
        return _Wrong("BAD_PHONE", "nobody reaches a number behind an extension by himself: give one without")
    is_national = number.country_code_source not in _SAYS_ITS_COUNTRY
    in_e164 = _e164(number)
    for old, new in _RENUMBERED:
        if old.match(in_e164):
            number = phonenumbers.parse(old.sub(new, in_e164))
            in_e164 = _e164(number)
    possible = phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
    certain = not is_national or phonenumbers.is_valid_number(number) or _FOR_EXAMPLES.fullmatch(in_e164)
    if not possible or not certain:
        return _Wrong("BAD_PHONE", f"not a phone number of its country ({country} if none is given)")
    return _Number(in_e164, phonenumbers.number_type(number) not in _TAKES_NO_TEXT)


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))


def email(written: str, place: str) -> str:
    """Return the address in normal form, its domain in its own letters (IDNA 2008).

    Args:
        written: As people and programs write it: with blanks around it, `mailto:` or `Ben <…>`.

    Raises:
        Refused: BAD_EMAIL; UNREACHABLE_EMAIL, for a mailbox in letters beyond ASCII, which takes SMTPUTF8 from every
            server on the way: no carrier of ours speaks it.
    """
    return _good(_address(written), place)


@lru_cache(READ_BEFORE)
def _address(written: str) -> str | _Wrong:
    try:
        address = _MAILTO.sub("", texts.seen(written).strip())
        found = email_validator.validate_email(address, check_deliverability=False, allow_display_name=True)
    except email_validator.EmailNotValidError:
        return _Wrong("BAD_EMAIL", "not an email address")
    if found.smtputf8:
        return _Wrong("UNREACHABLE_EMAIL", "before the @ no mail of ours can have letters beyond ASCII")
    return found.normalized


def web_address(written: str, place: str) -> str:
    """Return the https address of a page in normal form: ASCII, a host with a dot, nobody's password.

    Args:
        written: On one line.

    Raises:
        Refused: BAD_URL; FIELD_TOO_LONG.
    """
    try:
        url = _HTTPS.validate_python(written)
    except ValidationError:
        url = None
    if url is None or not written.lower().startswith("https://") or not _is_anybodys(url):
        raise Refused("BAD_URL", "not an address that begins with https:// and a host that everybody finds", place)
    if len(str(url)) > LONGEST_URL:
        raise Refused("FIELD_TOO_LONG", f"at most {LONGEST_URL} characters in ASCII", place)
    return str(url)


def _is_anybodys(url: AnyUrl) -> bool:
    return "." in (url.host or "").strip(".") and url.username is None and url.password is None


def country_or_none(written: str | None, place: str) -> str | None:
    """Return the country code, if one is given."""
    return None if written is None else country(written, place)


def country(written: str, place: str) -> str:
    """Return an ISO 3166 country code that phone numbers can be read by."""
    if written not in phonenumbers.SUPPORTED_REGIONS:
        raise Refused("UNKNOWN_COUNTRY", "not a two-letter country code such as GB", place)
    return written
