"""The script of one clinic that lets nobody in uncleared: what is said of seven visits' clearances, and who comes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from stack.demo.changes import Change
from stack.demo.people import CLINICS

CLINIC, SERVICE = CLINICS[0].code, "MRI"
FORM, FORM_VERSION = "mri-contrast", "2027-01"
SELF_PAY, INSURED = "self-pay", "insured"

NOTIFY_DAYS = (2,)
"""So many days before, whoever lacks something is told: never the day of a reminder, which with it would be many."""

POLICY: dict[str, object] = {
    "service_type": SERVICE,
    "mode": "enforce",
    "requires": [
        {"kind": "consent", "form": FORM, "versions": [FORM_VERSION], "link": "https://forms.example.org/mri"},
        {"kind": "financial", "payer_classes": [SELF_PAY]},
    ],
    "notify_days": list(NOTIFY_DAYS),
}
"""The body of `PUT /v1/clinics/{code}/clearance-policy`."""

IN_TIME, SENT_AWAY, SIGNS_AT_DESK, PAYS_AT_DESK, OVERRIDDEN, WITHDRAWS, REPORTED = 80, 83, 84, 85, 87, 79, 88
"""Indices of the patients: who is cleared in time, who never signs, signs or pays at the desk, is let in all the same,
withdraws what he signed, and whom upstream reports as checked in although nothing is cleared."""

STORIES = (IN_TIME, SENT_AWAY, SIGNS_AT_DESK, PAYS_AT_DESK, OVERRIDDEN, WITHDRAWS, REPORTED)


@dataclass(frozen=True, slots=True)
class Word:
    """What the desk says of one clearance of a visit."""

    at: datetime
    appointment: str
    what: str
    kind: str
    state: str
    payer_class: str | None = None

    def body(self) -> dict[str, object]:
        """Return the body of `POST /v1/appointments/{id}/clearances`."""
        said: dict[str, object] = {"event_id": f"{self.appointment}:{self.what}", "kind": self.kind}
        said |= {"state": self.state, "by": "front desk"}
        if self.kind == "consent":
            said["form"] = FORM
            if self.state == "cleared":
                said |= {"form_version": FORM_VERSION, "signed_at": self.at.isoformat(), "signed_by": "patient"}
        else:
            said["payer_class"] = self.payer_class
            if self.payer_class == SELF_PAY:
                said |= {"amount_minor": 12500, "currency": "GBP", "reference": f"receipt {self.appointment}"}
        return said


@dataclass(frozen=True, slots=True)
class CheckIn:
    """A patient stands at the desk."""

    at: datetime
    appointment: str
    what: str = "check-in"
    override: bool = False

    def body(self) -> dict[str, object]:
        """Return the body of `POST /v1/appointments/{id}/check-in`."""
        said: dict[str, object] = {"event_id": f"{self.appointment}:{self.what}", "by": "front desk"}
        return (
            {**said, "override": True, "reason": "the clinician takes the consent herself"} if self.override else said
        )


Act = Word | CheckIn


def visit_of(booking: Change) -> Change:
    """Return the booking of a visit with the service that has to be cleared, from any booking of its patient."""
    name = name_of(booking.appointment)
    return replace(booking, appointment=name, event_id=f"{name}:booked", service=SERVICE)


def name_of(appointment: str) -> str:
    """Return the name of such a visit, from that of its patient's first visit."""
    return f"{appointment}-{SERVICE}"


def comes(index: int, booking: Change, at: datetime) -> Change:
    """Return what upstream says when its patient has come: that he is here, or by itself that he is checked in."""
    status = "checked-in" if index == REPORTED else "arrived"
    return booking.then(at, status, status=status)


def acts_of(index: int, visit: str, opens: Callable[[int], datetime], day: int) -> Iterator[Act]:
    """Give what is said and done at the desk of one visit, in order.

    Args:
        opens: When the desk opens on a day of the week.
        day: The visit's.
    """
    booked, before, today = opens(0), opens(day - 1), opens(day)
    if index not in {IN_TIME, PAYS_AT_DESK, REPORTED}:
        yield Word(booked, visit, "insured", "financial", "cleared", INSURED)
    if index in {IN_TIME, PAYS_AT_DESK, WITHDRAWS}:
        yield Word(booked, visit, "signed", "consent", "cleared")
    if index == IN_TIME:
        yield Word(before, visit, "paid", "financial", "cleared", SELF_PAY)
    if index == WITHDRAWS:
        yield Word(before, visit, "withdrawn", "consent", "withdrawn")
    if index == REPORTED:
        return
    yield CheckIn(today, visit, override=index == OVERRIDDEN)
    if index == SIGNS_AT_DESK:
        yield Word(today, visit, "signed", "consent", "cleared")
    if index == PAYS_AT_DESK:
        yield Word(today, visit, "paid", "financial", "cleared", SELF_PAY)
    if index in {SIGNS_AT_DESK, PAYS_AT_DESK}:
        yield CheckIn(today, visit, "check-in-again")
