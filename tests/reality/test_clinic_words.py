"""How a clinic is reached: what its route takes, and what patients read of it (0041)."""

from datetime import timedelta
from typing import Any

from tests.support.reality import Case, Post, Seen

LATER = timedelta(minutes=10)
PHONE, CALL_US = "020 7946 0018", "please call us on +44 20 7946 0018."
MAP, STREET = "https://maps.example.org/?q=1&z=2", "1 Long Street, London N1 9GU"
KNOWN: dict[str, Any] = {"phone": PHONE, "address": STREET, "directions_url": MAP, "preparation": "Bring:\n- your card"}
CONTACT_US = "please contact us."
NONE_OF_IT = ("7946", "Long Street", "maps.example", "your card")


def clinic(**said: Any) -> Post:
    """Return the entry of the clinic."""
    body = {"name": "Clinic {clinic}", "zone": "Europe/London", "country": "GB", **said}
    return Post(body, path="/v1/clinics/{clinic}", method="PUT")


def refused(code: str, place: str, **said: Any) -> Post:
    """Return an entry of the clinic that is refused at a place."""
    answer = {"code": code, "errors.0.code": code, "errors.0.place": place}
    return Post(clinic(**said).body, answer, path="/v1/clinics/{clinic}", method="PUT", status=422)


def visit(number: int, status: str = "booked", **appointment: Any) -> Post:
    """Return the n-th event of a visit."""
    body = {
        "id": "v-{mark}", "status": status, "patient": {"id": "{patient}"}, "clinic": "{clinic}", "start": "{S}",
        "end": "{E}", **appointment,
    }  # fmt: skip
    return Post({"event_id": f"e-{{mark}}-{number}", "appointment": body}, warnings=None)


def patient(who: str = "{patient}", **fields: Any) -> Post:
    """Return the registration of a patient."""
    return Post({"given_name": "Ada", **fields}, warnings=None, path=f"/v1/patients/{who}?source=local", method="PUT")


NO_MAIL = patient(mobile="{mobile}", email=None)
CONFIRMED, HAS_MOVED, IS_CANCELLED = ("email", "is booked"), ("email", "has moved"), ("email", "is cancelled")
CASES = (
    Case(
        "all of it in a mail and its calendar entry",
        [clinic(**KNOWN), visit(1)],
        told=[CONFIRMED],
        said=[((CALL_US, STREET, MAP, "Bring:\n- your card\n", "LOCATION:1 Long Street\\, London N1 9GU"), ())],
    ),
    Case("a clinic that said nothing", [visit(1)], told=[CONFIRMED], said=[((CONTACT_US, "LOCATION:Clinic"), ())]),
    Case(
        "moved and cancelled: the way there only for who comes",
        [clinic(**KNOWN), visit(1), visit(2, start="{S+7d}", end="{E+7d}"), visit(3, "cancelled")],
        told=[CONFIRMED, HAS_MOVED, IS_CANCELLED],
        said=[((CALL_US, STREET), ()), ((CALL_US, STREET, MAP), ()), ((CALL_US,), ("\n    1 Long Street", MAP))],
    ),
    Case(
        "the phone in an SMS, and no more",
        [clinic(**KNOWN), NO_MAIL, visit(1), visit(2, "cancelled")],
        told=[("sms", "is booked"), ("sms", "is cancelled")],
        said=[(("please call +44 20 7946 0018. Reply STOP",), NONE_OF_IT[1:])] * 2,
    ),
    Case(
        "a service's own before the clinic's, field by field",
        [
            clinic(**KNOWN, services={"MRI": {"preparation": "No metal.", "phone": "020 7946 0999"}}),
            visit(1, service_type="MRI"),
        ],
        told=[CONFIRMED],
        said=[(("call us on +44 20 7946 0999.", STREET, "No metal."), ("0018", "your card"))],
    ),
    Case(
        "another service has the clinic's",
        [clinic(**KNOWN, services={"MRI": {"preparation": "No metal."}}), visit(1, service_type="X-ray")],
        told=[CONFIRMED],
        said=[((CALL_US, "your card"), ("No metal.",))],
    ),
    Case(
        "a sensitive clinic says nothing of it",
        [clinic(**KNOWN, sensitive=True), visit(1), visit(2, "cancelled")],
        told=[CONFIRMED, IS_CANCELLED],
        said=[((CONTACT_US,), NONE_OF_IT), ((CONTACT_US,), NONE_OF_IT)],
    ),
    Case(
        "what is left out stays, of the clinic and of a service",
        [
            clinic(**KNOWN, services={"MRI": {"preparation": "No metal."}}),
            clinic(services={"CT": {"preparation": "Drink."}}),
            clinic(),
            visit(1, service_type="MRI"),
        ],
        told=[CONFIRMED],
        said=[((CALL_US, STREET, "No metal."), ("Drink.",))],
    ),
    Case(
        "null takes away",
        [
            clinic(**KNOWN, services={"MRI": {"preparation": "No metal.", "address": "Basement"}}),
            clinic(phone=None, services={"MRI": {"address": None}}),
            visit(1, service_type="MRI"),
        ],
        told=[CONFIRMED],
        said=[((CONTACT_US, STREET, "No metal."), ("7946", "Basement"))],
    ),
    Case(
        "null for a service takes all that it had",
        [
            clinic(**KNOWN, services={"MRI": {"preparation": "No metal.", "address": "Basement"}}),
            clinic(services={"MRI": None}),
            visit(1, service_type="MRI"),
        ],
        told=[CONFIRMED],
        said=[((STREET, "your card"), ("No metal.", "Basement"))],
    ),
    Case(
        "a number that was mended is in the next message",
        [clinic(**KNOWN), visit(1), clinic(phone="+44 20 7946 0777"), visit(2, "cancelled")],
        told=[CONFIRMED, IS_CANCELLED],
        said=[((CALL_US,), ()), (("call us on +44 20 7946 0777.",), ())],
    ),
    Case(
        "a visit that is another's now says nothing of it to him whose it was",
        [
            clinic(**KNOWN),
            patient("{other}", mobile="{other_mobile}", email="{other_email}"),
            visit(1),
            visit(2, patient={"id": "{other}"}, service_type="MRI"),
        ],
        told=[CONFIRMED, IS_CANCELLED],
        said=[((CALL_US,), ()), ((CONTACT_US,), NONE_OF_IT)],
        told_other=[CONFIRMED],
    ),
    Case(
        "a link that is not https refuses the whole",
        [
            refused("BAD_URL", "directions_url", phone=PHONE, directions_url="http://maps.example.org/"),
            refused("BAD_URL", "directions_url", directions_url="javascript:alert(1)"),
            refused("BAD_URL", "services.MRI.directions_url", services={"MRI": {"directions_url": "https://"}}),
            visit(1),
        ],
        told=[CONFIRMED],
        said=[((CONTACT_US,), NONE_OF_IT)],
    ),
    Case(
        "a phone that not everybody can call",
        [
            refused("BAD_PHONE", "phone", phone="111"),
            refused("BAD_PHONE", "phone", phone="020 7946 0018 ext. 12"),
            refused("BAD_PHONE", "services.MRI.phone", services={"MRI": {"phone": "ask at the desk"}}),
            refused("EMPTY_TEXT", "phone", phone=" "),
        ],
    ),
    Case(
        "an address over two lines, and texts that are too long",
        [
            refused("CONTROL_CHARACTER", "address", address="1 Long Street\nLondon"),
            refused("FIELD_TOO_LONG", "address", address="a" * 301),
            refused("FIELD_TOO_LONG", "preparation", preparation="a" * 1001),
            refused("WRONG_TYPE", "services", services=["MRI"]),
        ],
    ),
    Case(
        "what nobody sees is taken out, and a country reads its numbers",
        [
            clinic(country="DE", phone="\ufeff030\u200b 23125-000", address="Nordring\u00ad 5"),
            clinic(country="DE", preparation="a\r\n\u200b\r\nb"),
            visit(1),
        ],
        told=[CONFIRMED],
        said=[(("call us on +49 30 23125000.", "    Nordring 5\n", "\na\n\nb\n"), ("\u200b", "\u00ad"))],
    ),
    Case(
        "template syntax and HTML are text",
        [clinic(preparation="{{ 7 * 7 }} <b>&amp;"), visit(1)],
        told=[CONFIRMED],
        said=[(("{{ 7 * 7 }} <b>&amp;",), ())],
    ),
)  # fmt: skip


def test_d35_a_message_says_how_the_clinic_is_reached_where_it_is_known(seen: Seen) -> None:
    seen.judge()
