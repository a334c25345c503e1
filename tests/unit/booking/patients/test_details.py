"""What of a person's addresses is kept: the first good one of each kind, a guardian's only where he has none."""

from typing import Any

import pytest

from booking.patients.domain.details import Addresses, KeptDetails, PersonDetails, read_by
from booking.patients.domain.patient import NOBODY, PatientState, completed
from booking.values.warned import Details

ANN, MOTHER, BEN = "+447911123456", "+447911123457", "+447911123458"
MAIL, HERS = "ann@example.org", "mum@example.org"


def kept(country: str | None = "GB", **fields: Any) -> tuple[KeptDetails, list[str]]:
    details = Details()
    return read_by(PersonDetails(**fields), country, details), [warned.place for warned in details.warnings]


@pytest.mark.parametrize(
    ("written", "country", "mobile", "warned"),
    [
        (("07911 123456", "unknown"), "GB", ANN, 0),
        (("disconnected", "020 7946 0018", "07911 123456"), "GB", ANN, 2),
        (("020 7946 0018",), "GB", None, 1),
        (("07911 123456",), None, None, 1),
        (("07911 123456", ANN), None, ANN, 1),
        (("none",) * 9 + (ANN,), "GB", ANN, 9),
        (("none",) * 20 + (ANN,), "GB", None, 21),
    ],
)
def test_d54_the_first_good_address_wins_and_a_bad_one_before_it_is_named(
    written: tuple[str, ...], country: str | None, mobile: str | None, warned: int
) -> None:
    person, places = kept(country, own=Addresses(written))
    assert (person.mobile, places) == (mobile, ["patient.phone"] * warned)


@pytest.mark.parametrize(
    "written", [f" {MAIL} ", f"{MAIL}\u200b", f"MAILTO:{MAIL}", f"mailto: {MAIL}", f"Ann Lee <{MAIL}>", f"<{MAIL}>"]
)
def test_a_mail_is_read_as_people_and_programs_write_it(written: str) -> None:
    person, places = kept(own=Addresses((), (written,)))
    assert (person.email, places) == (MAIL, [])


def test_a_guardians_former_address_is_taken_away_only_where_it_is_a_guardians() -> None:
    gone = KeptDetails(guardians_former=frozenset({MOTHER, HERS}))
    assert completed(held(MOTHER, HERS, "guardian"), gone).mobile is None
    assert completed(held(MOTHER, HERS, "guardian"), gone).email is None
    assert completed(held(MOTHER, HERS), gone).mobile == MOTHER


def test_a_mail_that_no_carrier_reaches_is_named_and_the_next_one_taken() -> None:
    person, places = kept(own=Addresses((), ("jos\u00e9@example.org", MAIL)))
    assert (person.email, places) == (MAIL, ["patient.email"])


def test_d54_a_guardians_address_counts_where_the_patient_has_none() -> None:
    guardians = Addresses(("no phone", MOTHER), (HERS,))
    person, places = kept(own=Addresses(("unknown",)), guardians=guardians)
    assert (person.mobile, person.email, person.contact_of) == (MOTHER, HERS, "guardian")
    assert places == ["patient.phone", "patient.contact.phone"]
    person, places = kept(own=Addresses((), (MAIL,)), guardians=guardians)
    assert (person.mobile, person.email, person.contact_of, places) == (None, MAIL, None, [])
    assert kept(guardians=Addresses(("unknown",)))[0].contact_of is None


def held(mobile: str | None, email: str | None = None, contact_of: Any = None) -> PatientState:
    return PatientState(NOBODY.patient_id, mobile=mobile, email=email, contact_of=contact_of)


def said(mobile: str | None = None, email: str | None = None, contact_of: Any = None, *former: str) -> KeptDetails:
    return KeptDetails(mobile=mobile, email=email, contact_of=contact_of, former=frozenset(former))


@pytest.mark.parametrize(
    ("before", "told", "after"),
    [
        (held(None), said(MOTHER, None, "guardian"), held(MOTHER, None, "guardian")),
        (held(ANN), said(MOTHER, HERS, "guardian"), held(ANN)),
        (held(None, MAIL), said(MOTHER, None, "guardian"), held(None, MAIL)),
        (held(MOTHER, HERS, "guardian"), said(ANN), held(ANN)),
        (held(MOTHER, None, "guardian"), said(None, HERS, "guardian"), held(MOTHER, HERS, "guardian")),
        (held(MOTHER, None, "guardian"), said(), held(MOTHER, None, "guardian")),
        (held(ANN, MAIL), said(BEN), held(BEN, MAIL)),
        (held(ANN, MAIL), said(None, None, None, ANN), held(None, MAIL)),
        (held(ANN), said(None, None, None, BEN), held(ANN)),
        (held(ANN), said(MOTHER, None, "guardian", ANN), held(MOTHER, None, "guardian")),
        (held(MOTHER, None, "guardian"), said(None, None, None, MOTHER), held(None)),
    ],
)
def test_d54_addresses_are_the_patients_own_or_all_of_them_a_guardians(
    before: PatientState, told: KeptDetails, after: PatientState
) -> None:
    assert completed(before, told) == after


def test_d51_an_address_that_is_said_to_be_his_no_more_is_taken_away() -> None:
    person, places = kept(former=Addresses(("07911 123456", "unknown"), ("ANN@Example.org",)))
    assert person.former == {ANN, "ANN@example.org"}
    assert places == []
    assert completed(held(ANN, MAIL), person) == held(None, MAIL)
