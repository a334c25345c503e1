"""How a visit stands to what its clinic requires."""

from collections.abc import Sequence
from datetime import datetime

import pytest

from booking.clearances.domain.clearance import GiveClearance
from booking.clearances.domain.kinds import State
from booking.clearances.domain.policy import Requirement
from booking.clearances.domain.standing import NOTHING_REQUIRED, standing_of
from tests.unit.booking.clearances.made import DAY, HOUR, KINDS, NOW, consent, held, policy, word

MRI = Requirement("consent", "mri", ("2", "3"))
ANY = Requirement("consent")
PAY = Requirement("financial", payer_classes=("self-pay", "private"))

CASES: list[tuple[Requirement, Sequence[GiveClearance], str]] = [
    (MRI, [], "MISSING"),
    (MRI, [consent(form_version="2")], "CLEARED"),
    (MRI, [consent(form_version="1")], "OLD_FORM"),
    (MRI, [consent(form="surgery", form_version="2")], "MISSING"),
    (MRI, [consent(State.PENDING)], "PENDING"),
    (MRI, [consent(State.REFUSED)], "REFUSED"),
    (MRI, [consent(form_version="2"), consent(State.WITHDRAWN)], "WITHDRAWN"),
    (MRI, [consent(form_version="2", expires_at=NOW)], "EXPIRED"),
    (MRI, [consent(form_version="2", expires_at=NOW + HOUR)], "CLEARED"),
    (Requirement("consent"), [consent(form="surgery"), consent(State.WITHDRAWN)], "CLEARED"),
    (Requirement("referral"), [word(state=State.WAIVED)], "WAIVED"),
    (PAY, [], "MISSING"),
    (ANY, [consent(form=None), consent(State.WITHDRAWN)], "WITHDRAWN"),
    (ANY, [consent(State.WITHDRAWN), consent(form=None)], "CLEARED"),
    (ANY, [consent(form=None), consent(State.REFUSED), consent(form="surgery")], "CLEARED"),
    (ANY._replace(form="mri"), [consent(State.WITHDRAWN, form=None), consent(said_at=NOW - HOUR)], "WITHDRAWN"),
    (ANY._replace(form="mri"), [consent(State.WITHDRAWN, form=None), consent()], "CLEARED"),
    (PAY, [word("financial", payer_class="public")], "NOT_REQUIRED"),
    (PAY, [word("financial", State.PENDING, payer_class="public")], "PENDING"),
    (PAY, [word("financial", State.REFUSED, payer_class="public")], "REFUSED"),
    (PAY, [word("financial", payer_class="public", expires_at=NOW)], "EXPIRED"),
    (PAY, [word("financial", State.PENDING, payer_class="self-pay")], "PENDING"),
    (PAY, [word("financial", State.PENDING)], "PENDING"),
    (PAY, [word("financial", payer_class="private")], "CLEARED"),
]


@pytest.mark.parametrize(("required", "said", "code"), CASES)
def test_a_requirement_comes_to_what_was_said_last_of_it(
    required: Requirement, said: Sequence[GiveClearance], code: str
) -> None:
    found = standing_of(policy(required), list(held(*said).values()), KINDS, NOW)
    assert [one.code for one in found.checked] == [code]
    assert [one.code for one in found.lacking] == [code] * (code not in {"CLEARED", "WAIVED", "NOT_REQUIRED"})


def test_a_lack_says_for_whom_it_is_and_how_to_get_it() -> None:
    (lack,) = standing_of(policy(MRI._replace(how="Come early.")), [], KINDS, NOW).lacking
    assert (lack.place, lack.how, lack.link) == ("clearances.consent", "Come early.", "https://forms.example.org")
    assert lack.detail == (
        "Consent form, of the patient or his guardian: nothing was said of it; Come early; https://forms.example.org"
    )


def test_nothing_is_required_where_no_policy_is() -> None:
    assert standing_of(None, list(held(consent(State.WITHDRAWN)).values()), KINDS, NOW) == NOTHING_REQUIRED


@pytest.mark.parametrize(("at", "code"), [(NOW, "CLEARED"), (NOW + DAY, "EXPIRED")])
def test_what_expires_counts_until_then(at: datetime, code: str) -> None:
    found = standing_of(policy(PAY), list(held(word("financial", expires_at=NOW + HOUR)).values()), KINDS, at)
    assert [one.code for one in found.checked] == [code]
