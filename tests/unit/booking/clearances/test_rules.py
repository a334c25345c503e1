"""What may be said of a visit's clearance, and what is refused, with its place."""

import pytest

from booking.clearances.domain.clearance import GiveClearance, SignedBy
from booking.clearances.domain.kinds import State
from booking.clearances.domain.rules import Facts, check
from booking.values.refusals import Refused
from schemas.appointments import Status
from tests.unit.booking.clearances.made import DAY, HOUR, NOW, VISIT, consent, facts, word

PAID = word("financial", amount_minor=1250, currency="GBP", payer_class="self-pay", expires_at=NOW + DAY)
CANCELLED = facts("consent", visit=VISIT._replace(status=Status.CANCELLED))

TAKEN = [
    (PAID, facts("financial")),
    (word("financial", State.PENDING), facts("financial")),
    (word("financial", amount_minor=0, currency="JPY"), facts("financial")),
    (word("financial", State.WAIVED, reason="hardship"), facts("financial")),
    (consent(), facts("consent")),
    (consent(form=None), facts("consent")),
    (consent(form_version="2"), facts("consent")),
    (consent(form_version="2"), facts("consent", versions={"1", "2"})),
    (consent(State.WITHDRAWN, signed_at=None, signed_by=None), CANCELLED),
    (consent(State.REFUSED), CANCELLED),
    (consent(State.WITHDRAWN, form_version="3"), facts("consent", versions={"1", "2"})),
    (consent(State.REFUSED, form=None, form_version="3"), facts("consent")),
    (consent(State.WITHDRAWN, expires_at=NOW - 2 * DAY), facts("consent")),
    (word(), facts()),
]

REFUSED = [
    (PAID._replace(amount_minor=-1), facts("financial"), "NEGATIVE_AMOUNT", "amount_minor"),
    (PAID._replace(currency="EURO"), facts("financial"), "UNKNOWN_CURRENCY", "currency"),
    (PAID._replace(currency="DEM"), facts("financial"), "UNKNOWN_CURRENCY", "currency"),
    (PAID._replace(currency="BGN"), facts("financial"), "UNKNOWN_CURRENCY", "currency"),
    (PAID._replace(currency=None), facts("financial"), "MISSING_FIELD", "currency"),
    (PAID._replace(amount_minor=10**12 + 1), facts("financial"), "NUMBER_OUT_OF_RANGE", "amount_minor"),
    (word("financial", State.WAIVED), facts("financial"), "MISSING_FIELD", "reason"),
    (word("financial", State.WITHDRAWN), facts("financial"), "NOT_OF_THIS_KIND", "state"),
    (word("financial", form="mri"), facts("financial"), "NOT_OF_THIS_KIND", "form"),
    (consent(), facts("consent", is_anothers=True), "CONSENT_OF_ANOTHER", "patient"),
    (consent(expires_at=NOW - DAY), facts("consent"), "EXPIRED_BEFORE_SIGNED", "expires_at"),
    (consent(form_version="3"), facts("consent", versions={"1", "2"}), "UNKNOWN_FORM_VERSION", "form_version"),
    (consent(), facts("consent", versions={"1"}), "MISSING_FIELD", "form_version"),
    (consent(form=None, form_version="1"), facts("consent"), "MISSING_FIELD", "form"),
    (consent(), CANCELLED, "VISIT_CANCELLED", ""),
    (consent(State.PENDING), CANCELLED, "VISIT_CANCELLED", ""),
    (consent(signed_at=NOW + HOUR), facts("consent"), "NOT_YET", "signed_at"),
    (consent(signed_at=None), facts("consent"), "MISSING_FIELD", "signed_at"),
    (consent(signed_by=None), facts("consent"), "MISSING_FIELD", "signed_by"),
    (consent(State.WITHDRAWN, withdrawn_at=NOW - 2 * DAY), facts("consent"), "WITHDRAWN_BEFORE_SIGNED", "withdrawn_at"),
    (consent(withdrawn_at=NOW), facts("consent"), "STATE_CONFLICT", "state"),
    (consent(State.WAIVED, reason="urgent"), facts("consent"), "NOT_OF_THIS_KIND", "state"),
    (consent(amount_minor=1, currency="GBP"), facts("consent"), "NOT_OF_THIS_KIND", "amount_minor"),
    (word("blood-test"), facts("blood-test"), "UNKNOWN_KIND", "kind"),
    (word(signed_by=SignedBy.GUARDIAN), facts(), "NOT_OF_THIS_KIND", "signed_by"),
]  # fmt: skip


@pytest.mark.parametrize(("command", "known"), TAKEN)
def test_a_word_that_can_be_so_is_taken(command: GiveClearance, known: Facts) -> None:
    check(command, known, NOW)


@pytest.mark.parametrize(("command", "known", "code", "place"), REFUSED)
def test_a_word_that_cannot_be_so_is_refused_with_its_place(
    command: GiveClearance, known: Facts, code: str, place: str
) -> None:
    with pytest.raises(Refused) as refused:
        check(command, known, NOW)
    assert (refused.value.code, refused.value.place) == (code, place)


def test_all_that_is_wrong_of_one_word_is_said_at_once() -> None:
    with pytest.raises(Refused) as refused:
        check(PAID._replace(amount_minor=-1, currency="EURO"), facts("financial", is_anothers=True), NOW)
    also = [one.code for one in refused.value.also]
    assert [refused.value.code, *also] == ["CONSENT_OF_ANOTHER", "NEGATIVE_AMOUNT", "UNKNOWN_CURRENCY"]
