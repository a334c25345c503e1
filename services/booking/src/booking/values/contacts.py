"""Phone numbers and email addresses, as carriers want them."""

import email_validator
import phonenumbers

from booking.values.refusals import Refused


def mobile(written: str, country: str, place: str) -> str:
    """Return the number in E.164.

    Args:
        written: As people write it; national if without `+`.
        country: ISO 3166 code by which a national number is read.

    Raises:
        Refused: BAD_PHONE, for a number that cannot be one in its country by its length and prefix. Whether
            the range is in use is the carrier's to say: lists of ranges are older than some phones.
    """
    try:
        number = phonenumbers.parse(written, country)
    except phonenumbers.NumberParseException:
        raise Refused("BAD_PHONE", "not a phone number", place) from None
    possible = phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
    if not possible or number.extension:
        raise Refused("BAD_PHONE", f"not a phone number of its country ({country} if none is given)", place)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def email(written: str, place: str) -> str:
    """Return the address in normal form."""
    try:
        return email_validator.validate_email(written, check_deliverability=False).normalized
    except email_validator.EmailNotValidError:
        raise Refused("BAD_EMAIL", "not an email address", place) from None


def country(written: str, place: str) -> str:
    """Return an ISO 3166 country code that phone numbers can be read by."""
    if written not in phonenumbers.SUPPORTED_REGIONS:
        raise Refused("UNKNOWN_COUNTRY", "not a two-letter country code such as GB", place)
    return written
