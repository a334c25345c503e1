"""What a FHIR Patient says of himself now: of names and addresses what is valid and fits, and who answers for him."""

from typing import Any

import pytest
from fhir.resources.R4B.period import Period

from booking.appointments.domain.command import BookAppointment
from booking.formats.fhir_r4.periods import is_current
from booking.formats.fhir_r4.person_names import split
from booking.patients.domain.details import Addresses, PersonDetails
from tests.support.booking.builders import NOW
from tests.unit.booking.formats.test_fhir_details import APPOINTMENT, read
from tests.unit.booking.formats.test_fhir_who import V3, who

MRN = [{"system": "urn:mrn", "value": "7"}]
YESTERDAY, TODAY = {"end": "2027-02-28"}, {"start": "2027-03-01", "end": "2027-03-01"}
assert NOW.isoformat().startswith("2027-03-01T09:00")


def order(contained: list[Any], *participants: Any) -> BookAppointment:
    return read({**APPOINTMENT, "contained": contained, "participant": [who("#pat1"), *participants]})


def person(**fields: Any) -> PersonDetails:
    found = order([{"resourceType": "Patient", "id": "pat1", "identifier": MRN, **fields}]).person
    assert found is not None
    return found


def phone(value: str, **fields: Any) -> dict[str, Any]:
    return {"system": "phone", "value": value, **fields}


@pytest.mark.parametrize(
    ("names", "given", "family"),
    [
        ([{"given": ["Bea"], "family": "Old"}, {"use": "official", "given": ["Ann"], "family": "New"}], "Ann", "New"),
        ([{"use": "nickname", "given": ["Annie"]}, {"use": "usual", "given": ["Ann"]}], "Ann", None),
        (
            [{"use": "usual", "given": ["Ann"]}, {"use": "official", "given": ["Anna"], "period": YESTERDAY}],
            "Ann",
            None,
        ),
        ([{"use": "official", "given": ["Anna"], "period": TODAY}, {"use": "usual", "given": ["Ann"]}], "Anna", None),
        ([{"given": ["Ann"], "period": {"start": "2027-03-01T09:00:01Z"}}], None, None),
        ([{"given": ["Ann"], "period": {"start": "2027-03-01T10:00:00+01:00"}}], "Ann", None),
        ([{"given": ["Ann"], "period": {"end": "2027"}}], "Ann", None),
        ([{"given": ["Ann"], "period": {"end": "2026"}}], None, None),
        ([{"given": ["Ann"], "period": {"end": "2027-03"}}], "Ann", None),
        ([{"given": ["Ann"], "period": {"start": "2027-04"}}], None, None),
        ([{"use": "old", "given": ["Ann"]}], None, None),
        ([{"use": "maiden", "family": "Lee"}, {"family": "Ito"}], None, "Ito"),
        ([{"use": "anonymous", "text": "A. Nonymous"}], None, None),
        ([{"use": "official", "prefix": ["Dr"]}, {"given": ["Ann"]}], "Ann", None),
        ([{"text": "Meier, Anna"}], "Anna", "Meier"),
        ([{"use": "official", "text": "Anna Meier"}, {"given": ["Nan"]}], "Anna", "Meier"),
        ([{"text": "Anna Meier", "family": "Meier"}], None, "Meier"),
    ],
)
def test_d54_the_name_is_the_one_that_is_valid_now_and_fits(
    names: list[Any], given: str | None, family: str | None
) -> None:
    found = person(name=names)
    assert (found.given_name, found.family_name) == (given, family)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Anna Meier", ("Anna", "Meier")),
        ("Meier, Anna", ("Anna", "Meier")),
        ("van der Berg, Anna Maria", ("Anna", "van der Berg")),
        ("Dr. Anna van der Berg", ("Anna", "van der Berg")),
        ("Meier, Dr. Anna", ("Anna", "Meier")),
        ("Anna Meier, MD", ("Anna", "Meier")),
        ("Anna", ("Anna", None)),
        ("Dr", ("Dr", None)),
        ("Meier,", ("Meier", None)),
        ("\u738b\u5c0f\u660e", ("\u738b\u5c0f\u660e", None)),
    ],
)
def test_d54_a_name_that_is_one_text_has_its_parts(text: str, name: tuple[str, str | None]) -> None:
    assert split(text) == name


@pytest.mark.parametrize(
    ("telecom", "mobiles"),
    [
        ([phone("1", use="home"), phone("2", use="mobile")], ("2", "1")),
        ([phone("1", use="home"), {"system": "sms", "value": "2"}], ("2", "1")),
        ([phone("1", use="mobile", rank=2), phone("2", use="mobile", rank=1)], ("2", "1")),
        ([phone("1", use="mobile"), phone("2", use="mobile", rank=9)], ("2", "1")),
        ([phone("1", use="home", rank=1), phone("2", use="mobile", rank=3)], ("2", "1")),
        ([phone("1", use="old"), phone("2")], ("2",)),
        ([phone("1", use="mobile", period=YESTERDAY), phone("2")], ("2",)),
        ([phone("1", use="mobile", period={"start": "2027-03-02"}), phone("2")], ("2",)),
        ([phone("1", use="mobile", period=TODAY), phone("2")], ("1", "2")),
        (
            [phone("1"), phone("1", use="home"), {"system": "fax", "value": "3"}, {"system": "pager", "value": "4"}],
            ("1",),
        ),
    ],
)
def test_d54_numbers_stand_in_the_order_in_which_they_fit(telecom: list[Any], mobiles: tuple[str, ...]) -> None:
    assert person(telecom=telecom).own.mobiles == mobiles


def test_d54_mails_stand_by_rank_and_what_is_over_is_said_to_be_former() -> None:
    mails = [{"system": "email", "value": "a@b.org"}, {"system": "email", "value": "mailto:c@d.org", "rank": 1}]
    over = [phone("1", use="old"), phone("2", period=YESTERDAY), phone("3", period={"start": "2030"})]
    found = person(telecom=[*mails, *over, {"system": "email", "value": "e@f.org", "use": "old"}])
    assert found.own == Addresses((), ("mailto:c@d.org", "a@b.org"))
    assert found.former == Addresses(("1", "2"), ("e@f.org",))


@pytest.mark.parametrize(
    ("telecom", "own"),
    [
        ([None, phone("1")], Addresses(("1",))),
        (phone("1"), Addresses(("1",))),
        ([{"system": "Email", "value": "a@b.org"}, {"system": "PHONE", "value": "1"}], Addresses(("1",), ("a@b.org",))),
        ([{"value": "a@b.org"}, {"value": "1"}], Addresses(("1",), ("a@b.org",))),
        ([None], Addresses()),
    ],
)
def test_an_address_is_read_however_its_list_and_its_kind_are_written(telecom: Any, own: Addresses) -> None:
    assert person(telecom=telecom).own == own


def contact(*codes: str, text: str | None = None, **fields: Any) -> dict[str, Any]:
    concept = {"coding": [{"system": V3, "code": code} for code in codes]} if codes else {}
    return {"relationship": [{**concept, **({"text": text} if text else {})}], "telecom": [phone("9")], **fields}


@pytest.mark.parametrize(
    ("contacts", "born", "is_told"),
    [
        ([contact("MTH")], None, False),
        ([contact("FTH")], "2020-05-01", True),
        ([contact("GUARD")], "1950", True),
        ([contact("guardian")], None, True),
        ([contact(text="Legal guardian")], None, True),
        ([contact(text="mother")], "2019", True),
        ([contact("N", "MTH")], None, False),
        ([contact("N", "MTH")], "2020-05-01", True),
        ([contact("N")], "2020-05-01", True),
        ([contact("N")], None, False),
        ([contact("N")], "1980-05-01", False),
        ([contact("MTH")], "1980-05-01", False),
        ([contact("MTH")], "2009-03-01", False),
        ([contact("MTH")], "2009-03-02", True),
        ([contact("C")], "2020", False),
        ([contact("WIFE")], None, False),
        ([contact("MTH", period=YESTERDAY)], None, False),
        ([contact("ONESELF")], None, False),
        ([{"telecom": [phone("9")]}], "2020", False),
    ],
)
def test_d54_who_answers_for_a_patient_may_be_told_for_him(
    contacts: list[Any], born: str | None, is_told: bool
) -> None:
    found = person(contact=contacts, **({"birthDate": born} if born else {}))
    assert found.guardians.mobiles == (("9",) if is_told else ())


def test_an_address_of_a_guardian_that_is_old_or_whose_contact_is_over_is_former() -> None:
    over = [contact("MTH", period=YESTERDAY), {**contact("GUARD"), "telecom": [phone("8", use="old"), phone("7")]}]
    found = person(contact=over, birthDate="2020")
    assert (found.guardians_former.mobiles, found.guardians.mobiles, found.former) == (("8", "9"), ("7",), Addresses())


def test_d54_a_contact_who_is_the_patient_himself_is_his_own_address() -> None:
    assert person(telecom=[phone("1")], contact=[contact("ONESELF")]).own.mobiles == ("1", "9")


ITO = {"resourceType": "Practitioner", "id": "dr1", "identifier": [{"value": "ito"}], "name": [{"text": "Ito"}]}
PATIENT = {"resourceType": "Patient", "id": "pat1", "identifier": MRN}


def role(**fields: Any) -> dict[str, Any]:
    return {"resourceType": "PractitionerRole", "id": "role1", "practitioner": {"reference": "#dr1"}, **fields}


NOBODYS = {"resourceType": "PractitionerRole", "id": "role1", "identifier": [{"value": "doctor"}]}


@pytest.mark.parametrize(
    ("contained", "participants", "provider", "name"),
    [
        ([ITO, role()], [who("#role1")], "ito", "Ito"),
        (
            [role(practitioner={"reference": "Practitioner/9", "display": "Dr Nine"})],
            [who("#role1")],
            "Practitioner/9",
            "Dr Nine",
        ),
        ([role(practitioner={"identifier": {"value": "9"}})], [who("#role1", display="Nine")], "9", "Nine"),
        ([], [who("PractitionerRole/4", "PPRF", display="Four")], "PractitionerRole/4", "Four"),
        ([], [who("https://h/fhir/PractitionerRole/4")], "https://h/fhir/PractitionerRole/4", None),
        ([ITO, role()], [who("Practitioner/9"), who("#role1", "ATND")], "ito", "Ito"),
        ([ITO, role(active=False)], [who("#role1"), who("Practitioner/9")], "Practitioner/9", None),
        ([ITO, role(period=YESTERDAY)], [who("#role1"), who("Practitioner/9")], "Practitioner/9", None),
        ([{**ITO, "active": False}], [who("#dr1"), who("Practitioner/9")], "Practitioner/9", None),
        ([ITO, role(active=False)], [who("#role1")], "ito", "Ito"),
        ([ITO, NOBODYS], [who("#role1"), who("#dr1")], "ito", "Ito"),
        ([{**ITO, "active": False}, NOBODYS], [who("#dr1"), who("#role1")], "doctor", None),
        ([ITO], [who("#dr1", display="Old"), who("Practitioner/9", "PPRF", "declined")], "ito", "Ito"),
        ([{**ITO, "name": [{"text": "Lee", "use": "old"}, {"text": "Ito"}]}], [who("#dr1")], "ito", "Ito"),
        ([{**ITO, "name": [{"text": "Lee", "period": YESTERDAY}]}], [who("#dr1", display="Ito")], "ito", "Ito"),
    ],
)
def test_d54_a_role_is_its_practitioners_and_who_is_active_goes_first(
    contained: list[Any], participants: list[Any], provider: str, name: str | None
) -> None:
    found = order([PATIENT, *contained], *participants)
    assert (found.provider, found.provider_name) == (provider, name)


@pytest.mark.parametrize(
    ("references", "patient"),
    [
        (["Patient/1", "https://h/fhir/Patient/1"], "https://h/fhir/Patient/1"),
        (["https://h/fhir/Patient/1/_history/3", "Patient/1"], "https://h/fhir/Patient/1"),
        (["Patient/1", "Patient/11"], None),
        (["Patient/1", "https://h/Patient/1", "https://other/Patient/1"], None),
        (["https://h/Patient/1", "https://other/Patient/1"], None),
    ],
)
def test_a_patient_and_the_absolute_url_of_the_same_are_one(references: list[str], patient: str | None) -> None:
    value = {**APPOINTMENT, "participant": [who(reference) for reference in references]}
    if patient is None:
        with pytest.raises(ValueError, match="SEVERAL_PATIENTS"):
            read(value)
    else:
        assert read(value).patient == patient


@pytest.mark.parametrize(
    "participants",
    [
        [who("Patient/1"), who("https://h/Patient/1", identifier=MRN[0])],
        [who("https://h/Patient/1", identifier=MRN[0]), who("Patient/1/_history/2")],
    ],
)
def test_d53_a_patient_named_in_several_ways_has_all_these_names(participants: list[Any]) -> None:
    found = read({**APPOINTMENT, "participant": participants})
    assert (found.patient, found.patient_names) == ("urn:mrn|7", ("https://h/Patient/1", "Patient/1"))


def test_a_reference_to_a_patient_with_and_without_his_number_is_one_patient() -> None:
    found = read({**APPOINTMENT, "participant": [who("Patient/1"), who("Patient/1", identifier=MRN[0])]})
    assert (found.patient, found.patient_names) == ("Patient/1", ("urn:mrn|7",))


def test_d53_a_roles_names_are_its_practitioners() -> None:
    found = order([PATIENT, ITO, role(practitioner={"reference": "#dr1", "identifier": {"value": "8"}})], who("#role1"))
    assert (found.provider, found.provider_names) == ("ito", ("8",))


@pytest.mark.parametrize(
    ("period", "is_current_then"),
    [
        ({"end": "2027-03-10"}, False),
        ({"end": "2027-03-20"}, True),
        ({"end": "2027-12"}, True),
        ({"end": "2027-02"}, False),
        ({"start": "2027-03-20", "end": "2027-03-20T09:00:00Z"}, True),
        ({"end": "2027-03-20T08:59:59Z"}, False),
        *(({"end": never}, True) for never in ("9999", "9999-12", "9999-12-31", "9999-12-31T23:59:59.999999Z")),
    ],
)
def test_a_period_ends_with_the_last_of_its_last_day_month_or_year(period: Any, is_current_then: bool) -> None:
    assert is_current(Period.model_validate(period), NOW.replace(day=20)) is is_current_then
