"""What people read: dates as the clinic's country writes them, in the language of who reads."""

from typing import Any

from tests.support.reality import ZONE, Case, Post, Seen


def clinic(country: str | None, *languages: str) -> Post:
    """Return the clinic's entry, in another country than its zone's or with other languages."""
    names = [{"system": "Location", "value": "{clinic}"}]
    body = {"name": "Clinic {clinic}", "zone": ZONE, "languages": languages, "country": country, "identifiers": names}
    return Post(body, warnings=None, path="/v1/clinics/{clinic}", method="PUT")


def patient(language: str, **fields: Any) -> Post:
    """Return the registration of the patient with another language."""
    body = {"given_name": "Amina", "mobile": "{mobile}", "email": "{email}", "consent": True, "language": language}
    return Post({**body, **fields}, warnings=None, path="/v1/patients/{patient}?source=local", method="PUT")


VISIT = Post(
    {
        "event_id": "e-{mark}",
        "appointment": {
            "id": "v-{mark}", "status": "booked", "patient": {"id": "{patient}"}, "clinic": "{clinic}", "start": "{S}",
        },
    },
    warnings=None,
)  # fmt: skip
BRITISH = "\n    {S%A, %-d %B %Y}\n    {S%H:%M}"

CASES = (
    Case(
        "English in Britain",
        [clinic("GB", "en"), patient("en"), VISIT],
        told=[("email", "booked")],
        said=[([BRITISH], [])],
    ),
    Case(
        "English in the United States",
        [clinic("US", "en"), patient("en"), VISIT],
        told=[("email", "booked")],
        said=[(["\n    {S%A, %B %-d, %Y}\n    {S%-I:%M %p}"], [])],
    ),
    Case(
        "an American's tag in Britain",
        [clinic("GB", "en-US"), patient("en-US"), VISIT],
        told=[("email", "booked")],
        said=[([BRITISH], [])],
    ),
    Case(
        "German, which CLDR does not know in Britain",
        [clinic("GB", "en"), patient("de"), VISIT],
        told=[("email", "Ihr Termin")],
        said=[(["{S%Y}\n    {S%H:%M} Uhr"], [])],
    ),
    Case(
        "French in Switzerland has a comma after the day of the week",
        [clinic("CH", "de", "fr"), patient("fr-FR"), VISIT],
        told=[("email", "Votre rendez-vous")],
        said=[([", {S%-d} "], [])],
    ),
    Case(
        "French in France has none",
        [clinic("FR", "fr"), patient("fr-CH"), VISIT],
        told=[("email", "Votre rendez-vous")],
        said=[([" {S%-d} "], [])],
    ),
    Case(
        "Arabic keeps a name of other letters apart",
        [clinic("GB", "en"), patient("ar"), VISIT],
        told=[("email", "تم حجز موعدكم")],
        said=[(["مرحبًا \u2068Amina\u2069،"], [])],
    ),
    Case(
        "a language without sentences: the clinic's first",
        [clinic("GB", "nl", "en"), patient("tr"), VISIT],
        told=[("email", "Uw afspraak")],
        said=[(["Beste Amina,"], [])],
    ),
    Case(
        "Polish by SMS",
        [clinic("PL", "pl"), patient("pl", email=None), VISIT],
        told=[("sms", "Amina, wizyta zarezerwowana: ")],
        said=[([", {S%H:%M}"], [])],
    ),
    Case(
        "Spanish by SMS",
        [clinic("ES", "es"), patient("es-MX", email=None), VISIT],
        told=[("sms", "Amina, su cita queda reservada: ")],
        said=[([", {S%H:%M}"], [])],
    ),
    Case(
        "Italian, Portuguese or Swahili are nobody's last resort",
        [clinic("GB", "xx"), patient("yy"), VISIT],
        told=[("email", "Your appointment")],
        said=[(["Hello Amina,"], [])],
    ),
)


def test_people_read_the_dates_of_the_clinics_country_in_their_own_language(seen: Seen) -> None:
    seen.judge()
