"""What may be said of a visit's clearance: the refusals, each with its place and the way out."""

from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from typing import NamedTuple

from booking.clearances.domain.clearance import CLOCKS_DIFFER_BY, GiveClearance, Visit
from booking.clearances.domain.kinds import CLEARS, STATES, TAKES_BACK, Kind, Shape, State
from booking.clearances.domain.money import currencies
from booking.values.refusals import Refused

LARGEST_AMOUNT = 10**12
"""Smallest units of a currency: more is a typing error."""

_OF_CONSENTS = ("form", "form_version", "signed_at", "signed_by", "withdrawn_at")
_OF_MONEY = ("amount_minor", "currency", "payer_class")


_OF_ANOTHER = {
    False: "it is of a patient who is not the visit's",
    True: "it names no patient, and was said or signed when the visit was another's: name him if it is the present one",
}


class Facts(NamedTuple):
    """What is known where a word is judged.

    Attributes:
        kind: None: the visit's clinic has no such kind.
        versions: Every version of the form that the clinic ever named; none: it never named any.
        is_anothers: Whether it is not of the visit's patient, by the name it gives or by when it was said, and takes
            nothing back of what is held of whoever it is of.
    """

    visit: Visit
    kind: Kind | None
    versions: Collection[str] = frozenset()
    is_anothers: bool = False


def check(command: GiveClearance, facts: Facts, now: datetime) -> None:
    """Refuse what cannot be so.

    Raises:
        Refused: The first that is wrong; `also` has the others.
    """
    found = [refusal for rule in _RULES for refusal in rule(command, facts, now)]
    if found:
        found[0].also = found[1:]
        raise found[0]


def _of_its_visit(command: GiveClearance, facts: Facts, now: datetime) -> Iterator[Refused]:
    if facts.is_anothers:
        yield Refused("CONSENT_OF_ANOTHER", _OF_ANOTHER[command.patient is None], "patient")
    if facts.visit.is_ended and command.state in CLEARS | {State.PENDING}:
        message = "the visit is cancelled: nothing clears it; what takes a clearance back is taken"
        yield Refused("VISIT_CANCELLED", message)


def _of_its_kind(command: GiveClearance, facts: Facts, now: datetime) -> Iterator[Refused]:
    if facts.kind is None:
        message = "the visit's clinic has no such kind: GET /v1/clearance-kinds lists them"
        yield Refused("UNKNOWN_KIND", message, "kind")
        return
    shape = facts.kind.shape
    others = (
        *(_OF_CONSENTS if shape is not Shape.CONSENT else ()),
        *(_OF_MONEY if shape is not Shape.FINANCIAL else ()),
    )
    for name in others:
        if getattr(command, name) is not None:
            yield Refused("NOT_OF_THIS_KIND", f"a {shape.value} kind has no such field", name)
    if command.state not in STATES[shape]:
        allowed = ", ".join(state.value for state in State if state in STATES[shape])
        yield Refused("NOT_OF_THIS_KIND", f"a {shape.value} kind is one of {allowed}", "state")
    if shape is Shape.CONSENT:
        yield from _of_a_consent(command, facts, now)


def _of_a_consent(command: GiveClearance, facts: Facts, now: datetime) -> Iterator[Refused]:
    if command.state in CLEARS:
        for name in ("signed_at", "signed_by"):
            if getattr(command, name) is None:
                yield Refused("MISSING_FIELD", "a consent is signed, at some time, by somebody", name)
    if command.state in TAKES_BACK:
        return  # no doubt about the form keeps a consent that was taken back
    if facts.versions and command.form_version is not None and command.form_version not in facts.versions:
        message = (
            "the clinic's clearance policy never named this version of the form: set the policy, then send it again"
        )
        yield Refused("UNKNOWN_FORM_VERSION", message, "form_version")
    if facts.versions and command.form_version is None and command.state in CLEARS:
        yield Refused("MISSING_FIELD", "the clinic requires certain versions of this form: say which", "form_version")
    if command.form_version is not None and command.form is None:
        yield Refused("MISSING_FIELD", "a version is that of a form", "form")


def _of_money(command: GiveClearance, facts: Facts, now: datetime) -> Iterator[Refused]:
    amount, currency = command.amount_minor, command.currency
    if amount is not None and amount < 0:
        yield Refused("NEGATIVE_AMOUNT", "an amount is 0 or more: what is owed is `pending`", "amount_minor")
    if amount is not None and amount > LARGEST_AMOUNT:
        yield Refused("NUMBER_OUT_OF_RANGE", f"at most {LARGEST_AMOUNT} of the smallest unit", "amount_minor")
    if amount is not None and currency is None:
        yield Refused("MISSING_FIELD", "an amount is of a currency", "currency")
    if currency is not None and currency not in currencies():
        yield Refused("UNKNOWN_CURRENCY", "not a currency of ISO 4217 in use, such as GBP", "currency")


def _of_times(command: GiveClearance, facts: Facts, now: datetime) -> Iterator[Refused]:
    signed_at = command.signed_at
    for name in ("signed_at", "withdrawn_at"):
        told = getattr(command, name)
        if told is not None and told > now + CLOCKS_DIFFER_BY:
            yield Refused("NOT_YET", "it is of the future; is it local time written as UTC?", name)
    is_given, expires_at = command.state not in TAKES_BACK, command.expires_at
    if is_given and signed_at is not None and expires_at is not None and expires_at <= signed_at:
        yield Refused("EXPIRED_BEFORE_SIGNED", "it would have expired as it was signed", "expires_at")
    if signed_at is not None and command.withdrawn_at is not None and command.withdrawn_at < signed_at:
        yield Refused("WITHDRAWN_BEFORE_SIGNED", "nothing is withdrawn before it is signed", "withdrawn_at")


def _of_its_state(command: GiveClearance, facts: Facts, now: datetime) -> Iterator[Refused]:
    if command.withdrawn_at is not None and command.state is not State.WITHDRAWN:
        yield Refused("STATE_CONFLICT", "what has a withdrawn_at is withdrawn", "state")
    if command.state is State.WAIVED and command.reason is None:
        yield Refused("MISSING_FIELD", "say why it is waived", "reason")


_RULES: tuple[Callable[[GiveClearance, Facts, datetime], Iterator[Refused]], ...] = (
    _of_its_visit, _of_its_kind, _of_money, _of_times, _of_its_state,
)  # fmt: skip
