"""What a message of HL7 v2 says of its patient: XTN as the versions and the field write it, names, language (D54)."""

from typing import Any
from uuid import UUID

import pytest

from booking.formats.hl7v2.people import language_of
from booking.patients.domain.details import Addresses, PersonDetails, read_by
from booking.patients.domain.patient import PatientState, completed
from booking.values.warned import Details
from tests.support.booking.hl7 import order, siu


def person(pid: str = "", home: str = "", work: str = "", **profile: Any) -> PersonDetails:
    """Return what is read of PID-13, PID-14, and of a whole PID where one is given."""
    found = order(siu(PID=pid or f"PID|1||77^^^EYE^MR||Meier^Anna||||||||{home}|{work}"), **profile).person
    assert found is not None
    return found


NUMBERS: dict[str, tuple[str, str, tuple[str, ...], tuple[str, ...]]] = {
    "a use in our words": (
        "0766655652^MOBILE~02011110111^HOME~a@b.org^EMAIL", "", ("0766655652", "02011110111"), ("a@b.org",)
    ),
    "the mobile first": ("02011110111^PRN^PH~07700900123^PRS^CP", "", ("07700900123", "02011110111"), ()),
    "by its parts": ("^PRN^PH^^1^555^555-8473", "", ("+1 555 555-8473",), ()),
    "by its parts, without a country": ("^^CP^^^777^7070707", "", ("777 7070707",), ()),
    "the old free text before its parts": ("(718)555-0100^P^H^^^718^5550100", "", ("(718)555-0100",), ()),
    "unformatted": ("^ORN^^^^^^^^^^349 0000000", "", ("349 0000000",), ()),
    "an address of the net": ("^NET^Internet^a@b.org", "", (), ("a@b.org",)),
    "an address in the first component": ("a@b.org^EMAIL", "", (), ("a@b.org",)),
    "X.400": ("^NET^X.400^a@b.org", "", (), ("a@b.org",)),
    "an address beside a number": ("07700900123^PRS^CP^a@b.org", "", ("07700900123",), ("a@b.org",)),
    "four digits are no address": ("78788788^^CP^5555", "", ("78788788",), ()),
    "an address at work": ("", "^NET^^a@b.org~01234098765^WPN", (), ("a@b.org",)),
    "a mobile at work": ("", "07700900123^PRS^CP", ("07700900123",), ()),
    "a number at work": ("", "01234098765", (), ()),
    "a fax, a pager, a text phone": ("1^^FX~2^^BP~3^^TDD", "", (), ()),
    "international": ("+49 172 7654321^^CP", "", ("+49 172 7654321",), ()),
    "no use and no kind": ("07700900123", "", ("07700900123",), ()),
    "the first is empty": ("~07700900123^PRS", "", ("07700900123",), ()),
    "nothing": ("", "", (), ()),
    "whom he names for emergencies, on a mobile": ("07700900123^EMR^CP", "", (), ()),
    "another's answering service": ("07700900123^ASN^CP", "", (), ()),
    "a fax of his other home": ("07700900123^ORN^FX", "", (), ()),
    "his own pager": ("07700900123^PRS^BP~07700900124^BPN", "", (), ()),
    "a mobile at work, by its kind": ("07700900123^WPN^CP", "", ("07700900123",), ()),
    "taken away, and another": ('""~07700900123^PRS', "", ("07700900123",), ()),
    "a use in the fourth component": (
        "02079460123^^^HOME~07700900123^^^MOBILE~a@b.org^^^EMAIL", "", ("07700900123", "02079460123"), ("a@b.org",)
    ),
    "a number one component too early": ("^^CP^07700900123", "", ("07700900123",), ()),
    "a number one component too far": ("^PRN^PH^^^^^07700900123", "", ("07700900123",), ()),
    "a number and its area in one": ("^PRN^CP^^44^7700900123", "", ("+44 7700900123",), ()),
    "an extension is no number": ("^WPN^PH^^^^^123456", "", (), ()),
    "a country as it is dialled": ("^PRN^CP^^0044^7700^900123", "", ("+44 7700 900123",), ()),
    "a country by its name": ("^PRN^CP^^GB^7700^900123", "", ("+44 7700 900123",), ()),
    "a country that nobody knows": ("^PRN^CP^^XYZ^7700^900123", "", ("+XYZ 7700 900123",), ()),
    "the old form, at work": ("(555)123-4567X12CWORK", "", (), ()),
    "the old form, a mobile": ("(555)123-4567CCELL", "", ("(555)123-4567",), ()),
    "the old form, behind an extension": ("(555)123-4567X12", "", ("(555)123-4567X12",), ()),
}  # fmt: skip


@pytest.mark.parametrize("case", NUMBERS)
def test_a_number_is_read_as_the_versions_write_it(case: str) -> None:
    home, work, mobiles, emails = NUMBERS[case]
    assert person(home=home, work=work).own == Addresses(mobiles, emails)


HELD = PatientState(UUID(int=1), 1, given_name="Ann", mobile="+447700900123", email="ann@example.org")
GONE: dict[str, tuple[str, str, str | None, str | None]] = {
    "nothing is said": ("", "", HELD.mobile, HELD.email),
    "the field is taken away": ('""', "", None, None),
    "his mobile is": ('""^MOBILE', "", None, HELD.email),
    "his landline is": ('""^HOME', "", HELD.mobile, HELD.email),
    "his address is": ('^NET^Internet^""', "", HELD.mobile, None),
    "each is, by its kind": ('""^MOBILE~""^HOME~""^EMAIL', '""^BUSINESS', None, None),
    "work is": ("", '""', HELD.mobile, HELD.email),
    "another mobile": ('""^MOBILE~07700900555^MOBILE', "", "+447700900555", HELD.email),
}


@pytest.mark.parametrize("case", GONE)
def test_two_quotes_take_away_and_nothing_says_nothing(case: str) -> None:
    home, work, mobile, email = GONE[case]
    found = completed(HELD, read_by(person(home=home, work=work, country="GB"), None, Details()))
    assert (found.mobile, found.email) == (mobile, email)


NAMES: dict[str, tuple[str, tuple[str | None, str | None]]] = {
    "a legal name": ("Meier^Anna^B^^Dr^^L", ("Anna", "Meier")),
    "what he is called before his legal name": ("Meier^Anna^^^^^L~Meier^Anni^^^^^D", ("Anni", "Meier")),
    "a maiden name is none": ("Berg^Anna^^^^^M~Meier^Anna^^^^^L", ("Anna", "Meier")),
    "a prefix in the family name": ("van Berg&van&Berg^Anna", ("Anna", "van Berg")),
    "CURRENT": ("MOLLY^RENAL^^^^^CURRENT", ("RENAL", "MOLLY")),
    "a family name alone": ("Meier", (None, "Meier")),
    "none": ("", (None, None)),
    "taken away": ('""', (None, None)),
}


@pytest.mark.parametrize("case", NAMES)
def test_the_name_by_which_he_is_greeted(case: str) -> None:
    written, expected = NAMES[case]
    found = person(f"PID|1||77^^^EYE^MR||{written}")
    assert (found.given_name, found.family_name) == expected


LANGUAGES = [
    ("eng", "en"), ("en", "en"), ("EN", "en"), ("fra", "fr"), ("ger", "de"), ("deu", "de"), ("ara", "ar"),
    ("pt-BR", "pt-BR"), ("de_AT", "de-AT"), ("NSP", None), ("", None), ("Unknown", None), ("English (US)", None),
]  # fmt: skip


@pytest.mark.parametrize(("written", "language"), LANGUAGES)
def test_a_language_is_told_by_its_shortest_code_and_a_placeholder_by_none(written: str, language: str | None) -> None:
    assert language_of(written) == language


@pytest.mark.parametrize(
    ("last", "deceased"), [("|Y", True), ("|N", False), ("|", None), ("20270101|", True), ("20270101|N", False)]
)
def test_whether_he_is_dead(last: str, deceased: bool | None) -> None:
    assert person("PID|1||77^^^EYE^MR" + "|" * 26 + last).deceased is deceased


def test_a_segment_of_the_sources_own_comes_before_the_usual_place() -> None:
    extra = {"mobile": "ZPD-1", "email": "ZPD-2", "language": "ZPD-3", "given_name": "ZPD-4", "landline": "ZPD-5"}
    body = siu(after=["ZPD|07700900777|z@b.org|deu|Zoe|0207"])
    found = order(body, hl7v2={"extra": extra}, country="GB", language="fr").person
    assert found is not None
    assert (found.own.mobiles, found.own.emails) == (("07700900777", "07700 900123", "0207"), ("z@b.org",))
    assert (found.language, found.given_name, found.family_name) == ("de", "Zoe", "Meier")
    assert (found.country, found.language_otherwise) == ("GB", "fr")
