"""What a clinic may require, and which of its policies is in force."""

import pytest

from booking.clearances.domain.kinds import Kind, Shape, is_new_word
from booking.clearances.domain.policy import (
    Mode,
    Requirement,
    Wanted,
    change_of,
    checked,
    giving_up,
    in_force,
    known_versions,
)
from booking.values.refusals import Refused
from tests.unit.booking.clearances.made import KINDS, NOW, policy

CONSENT = Requirement("consent", "mri", ("1",))
REFUSED = [
    ((Requirement("blood-test"),), (), "UNKNOWN_KIND", "requires.0.kind"),
    ((CONSENT, CONSENT._replace(versions=())), (), "DUPLICATE_REQUIREMENT", "requires.1"),
    ((Requirement("referral", "mri"),), (), "NOT_OF_THIS_KIND", "requires.0.form"),
    ((Requirement("consent", versions=("1",)),), (), "MISSING_FIELD", "requires.0.form"),
    ((Requirement("consent", payer_classes=("self-pay",)),), (), "NOT_OF_THIS_KIND", "requires.0.payer_classes"),
    ((), (0,), "NUMBER_OUT_OF_RANGE", "notify_days"),
    ((), (91,), "NUMBER_OUT_OF_RANGE", "notify_days"),
    ((), (1, 2, 3, 4, 5, 6), "NUMBER_OUT_OF_RANGE", "notify_days"),
    ((CONSENT,) * 21, (), "TOO_MANY_REQUIREMENTS", "requires"),
]


@pytest.mark.parametrize(("requires", "days", "code", "place"), REFUSED)
def test_what_cannot_be_required_is_refused_with_its_place(
    requires: tuple[Requirement, ...], days: tuple[int, ...], code: str, place: str
) -> None:
    with pytest.raises(Refused) as refused:
        checked(Wanted(Mode.ENFORCE, requires, days), KINDS)
    assert (refused.value.code, refused.value.place) == (code, place)


def test_the_days_are_kept_longest_first_and_once() -> None:
    assert checked(Wanted(Mode.ENFORCE, (CONSENT,), (2, 7, 2)), KINDS).notify_days == (7, 2)


def test_a_service_type_has_its_own_policy_or_the_clinics_or_none() -> None:
    clinics, own = policy(CONSENT), policy(Requirement("referral"), service_type="MRI")
    assert in_force([clinics, own], "MRI") == own
    assert in_force([clinics, own], "ECG") == clinics
    assert in_force([clinics, own._replace(unset=True)], "MRI") == clinics
    assert in_force([clinics._replace(unset=True)], "MRI") is None


def test_the_same_policy_again_is_no_change_and_a_policy_is_given_up_once() -> None:
    held = policy(CONSENT)
    wanted = Wanted(held.mode, held.requires, held.notify_days)
    assert change_of(held, "CARDIO", None, wanted, 2, "desk", NOW) is None
    given_up = giving_up(held, 2, "desk", NOW)
    assert given_up is not None
    assert giving_up(given_up, 3, "desk", NOW) is None
    assert change_of(given_up, "CARDIO", None, wanted, 3, "desk", NOW) == held._replace(version=3, set_by="desk")


def test_every_version_of_a_form_that_was_ever_named_is_known() -> None:
    policies = [policy(CONSENT), policy(CONSENT._replace(versions=("2",)), service_type="MRI")]
    assert known_versions(policies, "consent", "mri") == {"1", "2"}
    assert known_versions(policies, "consent", "surgery") == set()


def test_a_kind_keeps_its_shape() -> None:
    held = Kind("CARDIO", "allergy-test", Shape.PLAIN, "Allergy test")
    assert is_new_word(None, held)
    assert not is_new_word(held, held._replace(set_by="another"))
    assert is_new_word(held, held._replace(link="https://example.org"))
    with pytest.raises(Refused, match="KIND_SHAPE_FIXED"):
        is_new_word(held, held._replace(shape=Shape.FINANCIAL))
