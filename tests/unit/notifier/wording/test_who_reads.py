"""Whom a message is read by: a guardian is not greeted as the child."""

from dataclasses import fields

import pytest

from notifier.gate.domain.visit import Person
from notifier.wording.renderer import PARTS, Part
from notifier.wording.words import LANGUAGES, words_of
from schemas.notifications import Kind
from tests.support.notifier.builders import call, visit
from tests.unit.notifier.wording.test_rendering import render


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", [Kind.CONFIRMATION, Kind.REMINDER, Kind.CANCELLED])
def test_d54_whoever_answers_for_a_patient_reads_no_name(kind: Kind, part: Part, language: str) -> None:
    mobile = "+447911123456" if part == "sms.txt" else None
    one = call(kind, contact_of="guardian", language=language, given_name="Timotheus", mobile=mobile)
    assert words_of(one).name == ""
    assert "Timotheus" not in render(one, part)


def test_d54_of_a_visit_that_was_his_the_same_holds() -> None:
    one = visit()
    said = {field.name: getattr(one, field.name) for field in fields(Person)}
    person = Person(**{**said, "contact_of": "guardian"})
    assert person.of(one).contact_of == "guardian"
