"""Addresses are lines that take a text, of a country that is known: the first good one wins, a bad one is named."""

from typing import Any

from tests.reality.test_who_is_meant import message, phone
from tests.support.reality import Case, Post, Seen, fhir

BAD_PHONE = [("DETAIL_DROPPED", "patient.phone")]
BAD_EMAIL = [("DETAIL_DROPPED", "patient.email")]
TOLD = [("sms", "appointment is booked")]
MAILED = [("email", "")]


def clinic(**fields: Any) -> Post:
    """Return the clinic's registration, whole."""
    body = {"name": "Clinic {clinic}", "zone": "Europe/London", "languages": ["en"], **fields}
    return Post(body, warnings=None, path="/v1/clinics/{clinic}", method="PUT")


def told_of(*telecom: dict[str, Any], warnings: Any = (), **patient: Any) -> Post:
    """Return a booking whose patient has these contact points."""
    return fhir(message({"telecom": list(telecom), **patient}), warnings=warnings)


def person(code: str, place: str, **fields: Any) -> Post:
    """Return a registration by our own route, which is refused by its place."""
    answer = {"code": code, "errors.0.place": place}
    return Post(fields, answer, None, status=422, path="/v1/patients/{other}?source=local", method="PUT")


def mail(value: str, **fields: Any) -> dict[str, Any]:
    """Return a contact point."""
    return {"system": "email", "value": value, **fields}


NATIONAL: dict[str, tuple[str, str]] = {
    "GB": ("07911 134001", "+447911134001"),
    "US": ("(212) 555-0171", "+12125550171"),
    "DE": ("0171 1340001", "+491711340001"),
    "FR": ("06 12 34 00 01", "+33612340001"),
    "IN": ("098765 40001", "+919876540001"),
    "BR": ("(11) 98765-0001", "+5511987650001"),
    "MX": ("55 1234 0001", "+525512340001"),
}
INTERNATIONAL: dict[str, tuple[str, str]] = {
    "of the United States": ("+1 (212) 555-0172", "+12125550172"),
    "of Germany, with the trunk zero": ("+49 (0)171 1340002", "+491711340002"),
    "of Mexico, as it was before 2019": ("+52 1 55 1234 0002", "+525512340002"),
    "of Brazil, as it was before 2016": ("+55 11 8765-0002", "+5511987650002"),
    "as a URI": ("tel:+44-7911-134002", "+447911134002"),
    "of a range that is in no list": ("+44 7700 955551", "+447700955551"),
}
LANDLINES = {"GB": "020 7946 0018", "DE": "030 123456", "FR": "01 23 45 67 89", "IN": "080 2234 5678"}

CASES = (
    *(
        Case(
            f"a national number at a clinic in {country}",
            [clinic(country=country), told_of(phone(written))],
            told_at={number: TOLD},
        )
        for country, (written, number) in NATIONAL.items()
    ),
    *(
        Case(f"a number {what}, at a clinic of no country", [clinic(), told_of(phone(written))], told_at={number: TOLD})
        for what, (written, number) in INTERNATIONAL.items()
    ),
    *(
        Case(
            f"a landline of {country}: the mail is taken",
            [clinic(country=country), told_of(phone(written), mail("{other_email}"), warnings=BAD_PHONE)],
            told_other=MAILED,
        )
        for country, written in LANDLINES.items()
    ),
    Case(
        "a national number at a clinic of no country is dropped, not guessed",
        [clinic(), told_of(phone("07911 134003"), warnings=BAD_PHONE)],
        told_at={"+447911134003": []},
    ),
    Case(
        "a German number at a British clinic is no stranger's",
        [told_of(phone("0171 1340003"), warnings=BAD_PHONE)],
        told_at={"+441711340003": [], "+491711340003": []},
    ),
    Case(
        "bad, then good",
        [told_of(phone("disconnected"), phone("020 7946 0018"), phone("07911 134004"), warnings=BAD_PHONE * 2)],
        told_at={"+447911134004": TOLD},
    ),
    *(
        Case(f"a mail written {how}", [told_of(mail(written))], told_other=MAILED)
        for how, written in {
            "as a link in capitals": "MAILTO:{other_email}",
            "with a name": "Ben <{other_email}>",
            "between blanks": " {other_email} ",
            "with a space of no width": "{other_email}\u200b",
        }.items()
    ),
    *(
        Case(f"addresses {how}", [fhir(message({"telecom": telecom}))], told_other=MAILED)
        for how, telecom in {
            "with a gap": [None, mail("{other_email}")],
            "as one alone": mail("{other_email}"),
            "of a kind in capitals": [mail("{other_email}", system="Email")],
            "of no kind": [{"value": "{other_email}"}],
        }.items()
    ),
    Case(
        "the eighth number is the good one",
        [told_of(*(phone(f"020 7946 0{n}18") for n in range(7)), phone("07911 134015"), warnings=BAD_PHONE * 7)],
        told_at={"+447911134015": TOLD},
    ),
    Case(
        "good, then bad: nothing is said of the bad one",
        [told_of(phone("07911 134005"), phone("n/a"))],
        told_at={"+447911134005": TOLD},
    ),
    Case(
        "a mobile use goes before a home landline, and a number for SMS is a mobile",
        [
            told_of(
                phone("020 7946 0018", use="home", rank=1),
                {"system": "sms", "value": "07911 134006"},
                mail("a b c"),
                warnings=BAD_EMAIL,
            )
        ],
        told_at={"+447911134006": TOLD},
    ),
    Case(
        "the first by rank",
        [told_of(phone("07911 134007", rank=2), phone("07911 134008", rank=1))],
        told_at={"+447911134007": [], "+447911134008": TOLD},
    ),
    Case(
        "not the old one, and none whose time is over or to come",
        [
            told_of(
                phone("07911 134009", use="old"),
                phone("07911 134010", period={"end": "2020"}),
                phone("07911 134011", period={"start": "2199-01-01"}),
                phone("07911 134012", use="home"),
            )
        ],
        told_at={**{f"+4479111340{n}": [] for n in ("09", "10", "11")}, "+447911134012": TOLD},
    ),
    Case(
        "a number that is old now is taken away",
        [
            told_of(phone("07911 134013")),
            fhir(message({"telecom": [phone("07911 134013", use="old")]}, 2, start="{S+1d}", end="{E+1d}")),
        ],
        told_at={"+447911134013": TOLD},
    ),
    Case(
        "a mailbox that no carrier of ours reaches, then one that is",
        [told_of(mail("jos\u00e9@example.org"), mail("{other_email}"), warnings=BAD_EMAIL)],
        told_other=MAILED,
    ),
    Case(
        "stra\u00dfe.example is not strasse.example",
        [told_of(mail("a-{mark}@stra\u00dfe.example"))],
        told_at={"a-{mark}@xn--strae-oqa.example": MAILED, "a-{mark}@strasse.example": []},
    ),
    Case(
        "strasse.example is not stra\u00dfe.example",
        [told_of(mail("a-{mark}@strasse.example"))],
        told_at={"a-{mark}@strasse.example": MAILED, "a-{mark}@xn--strae-oqa.example": []},
    ),
    Case(
        "our own routes refuse by the field",
        [
            person("NO_COUNTRY", "mobile", mobile="07911 134014", email="{other_email}"),
            person("BAD_PHONE", "mobile", mobile="0171 1340003", country="GB"),
            person("NOT_A_MOBILE", "mobile", mobile="+44 20 7946 0018"),
            person("NOT_A_MOBILE", "mobile", mobile="+1 800 555 1234"),
            person("UNREACHABLE_EMAIL", "email", email="jos\u00e9@example.org", mobile="+447911134014"),
            person("UNKNOWN_COUNTRY", "country", mobile="07911 134014", country="UK"),
        ],
        told_other=[],
    ),
)


def test_an_address_is_a_line_that_is_certain_and_takes_a_text(seen: Seen) -> None:
    seen.judge()
