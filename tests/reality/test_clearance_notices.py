"""So that nobody stands there in vain: who is told what his visit still lacks, and who is not any more."""

from datetime import timedelta
from typing import Any

from tests.support.reality import Case, Post, Seen, answered

LATER = timedelta(days=1, hours=4)
FORM = "https://forms.example.org/consent"
CONSENT = {"kind": "consent", "link": FORM}


def requires(*requirements: dict[str, Any], days: tuple[int, ...] = (2,), query: str = "") -> Post:
    """Return the order that the clinic requires this before check-in, and tells its patients so many days before."""
    body = {"mode": "enforce", "requires": list(requirements), "notify_days": list(days)}
    path = f"/v1/clinics/{{clinic}}/clearance-policy{query}"
    return Post(body, path=path, method="PUT", by_operator=True, warnings=None)


def visit(number: int = 1, status: str = "booked", **appointment: Any) -> Post:
    """Return the n-th event of the visit, which begins in three days."""
    body = {
        "id": "v-{mark}", "status": status, "patient": {"id": "{patient}"}, "clinic": "{clinic}", "start": "{S}",
        **appointment,
    }  # fmt: skip
    return Post({"event_id": f"e-{{mark}}-{number}", "appointment": body}, warnings=None)


def says(number: int, kind: str = "consent", state: str = "cleared", **word: Any) -> Post:
    """Return the n-th word about what clears the visit."""
    signed = {"signed_at": "{NOW-1h}", "signed_by": "patient"} if (kind, state) == ("consent", "cleared") else {}
    body = {"event_id": f"c-{{mark}}-{number}", "kind": kind, "state": state, **signed, **word}
    path = "/v1/appointments/{visit_id}/clearances"
    return Post(body, {"result": "applied"}, path=path, warnings=None)


OFF = Post(
    {"whatsapp": False, "sms": False, "email": False}, path="/v1/patients/preferences?source=local&id={patient}",
    method="PUT", service="notifier", warnings=None,
)  # fmt: skip
SENSITIVE = Post(
    {"name": "Clinic", "zone": "Europe/London", "languages": ["en"], "country": "GB", "sensitive": True},
    path="/v1/clinics/{clinic}", method="PUT", warnings=None,
)  # fmt: skip
CONFIRMED, MOVED, CANCELLED = ("email", "is booked"), ("email", "has moved"), ("email", "is cancelled")
LACKS, REMINDED = ("sms", "still lacks: signed consent form"), ("sms", "reminder")
CASES = (
    Case(
        "he has not signed: two days before he is told what lacks, and where",
        [requires(CONSENT), visit()],
        told=[CONFIRMED, LACKS],
        said=[((), ("lacks",)), ((f"signed consent form. {FORM}",), ())],
    ),
    Case("he signs before it leaves", [requires(CONSENT), visit(), says(1)], told=[CONFIRMED]),
    Case(
        "he signs, and withdraws again",
        [requires(CONSENT), visit(), says(1), says(2, state="withdrawn")],
        told=[CONFIRMED, LACKS],
    ),
    Case(
        "moved by two hours: one notice, of the new time",
        [requires(CONSENT), visit(), visit(2, start="{S+2h}")],
        told=[CONFIRMED, MOVED, LACKS],
        said=[((), ()), ((), ()), (("{S+2h%H:%M}",), ())],
    ),
    Case(
        "cancelled", [requires(CONSENT), visit(), visit(2, "cancelled")], told=[CONFIRMED, CANCELLED]
    ),
    Case("every channel is off", [requires(CONSENT), OFF, visit()], told=[]),
    Case(
        "he stops text messages: it comes by mail",
        [requires(CONSENT), visit(), answered("STOP")],
        told=[CONFIRMED, ("email", "Still needed for your appointment")],
    ),
    Case(
        "the moment is at night: it waits for the clinic's hours",
        [requires(CONSENT), visit(start="{S-6h}")],
        told=[CONFIRMED, LACKS],
    ),
    Case(
        "a third message that day: none, and the reminder of the next day comes",
        [requires(CONSENT), visit(start="{S-23h}"), visit(2, start="{S-22h}")],
        told=[CONFIRMED, MOVED, REMINDED],
    ),
    Case("a policy without days tells nobody", [requires(CONSENT, days=()), visit()], told=[CONFIRMED]),
    Case("another service type's policy", [requires(CONSENT, query="?service_type=MRI"), visit()], told=[CONFIRMED]),
    Case(
        "what is paid is waived",
        [requires({"kind": "financial"}), visit(), says(1, "financial", "waived", reason="hardship")],
        told=[CONFIRMED],
    ),
    Case(
        "what expires before the visit is missing, in the clinic's words",
        [
            requires({"kind": "identity", "how": "Bring your passport."}), visit(),
            says(1, "identity", "cleared", expires_at="{S-1h}"),
        ],
        told=[CONFIRMED, ("sms", "still lacks: identity document")],
    ),
    Case(
        "a sensitive clinic says that something lacks, and not what",
        [SENSITIVE, requires(CONSENT), visit()],
        told=[CONFIRMED, ("sms", "still lacks a document")],
        said=[((), ()), ((), ("consent", "forms.example"))],
    ),
    Case(
        "booked when the moment was past",
        [requires(CONSENT), visit(start="{S-25h}")],
        told=[CONFIRMED, REMINDED],
    ),
)  # fmt: skip


def test_who_is_told_what_his_visit_lacks(seen: Seen) -> None:
    seen.judge()
