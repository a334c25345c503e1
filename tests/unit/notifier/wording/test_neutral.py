"""Whoever is told that a visit does not take place is told so, and not by whose fault: an error of ours, or of his."""

import re
from itertools import product

import pytest

from notifier.values.kinds import OFF
from notifier.wording.renderer import PARTS, Part
from notifier.wording.words import LANGUAGES
from schemas.appointments import Status
from schemas.notifications import Kind
from tests.support.notifier.builders import call
from tests.unit.notifier.wording.test_rendering import BY_SMS, render

BLAMES = {
    "en": r"error|mistake|wrong|incorrect|sorry|apolog|fault|you cancelled|we cancelled|you have|unfortunately|invalid",
    "de": r"fehler|irrt|versehen|falsch|leider|entschuldig|sie haben|wir haben|ungültig|schuld",
    "nl": r"fout|vergissing|ongeluk|verkeerd|helaas|sorry|excuses|u heeft|u hebt|wij hebben|ongeldig|schuld",
    "fr": r"erreur|faute|désolé|excus|malheureusement|vous avez annulé|nous avons|incorrect",
    "es": r"error|culpa|lo sentimos|disculp|lamentablemente|usted ha|hemos|incorrect",
    "pt": r"erro|engano|culpa|desculp|lamenta|infelizmente|cancelou|cancelámos|incorret",
    "it": r"errore|sbagli|colpa|scusa|spiacenti|purtroppo|lei ha|abbiamo|errat",
    "pl": r"błąd|błęd|pomył|wina|przepras|niestety|przykro|pan odwołał|odwołaliśmy",
    "ar": r"خطأ|غلط|آسف|نأسف|نعتذر|للأسف|ذنب",
    "sw": r"kosa|makosa|samahani|pole|bahati mbaya|umeghairi|tumeghairi",
}
"""By language, what names an error, a culprit or regret."""


@pytest.mark.parametrize(("language", "part", "named"), list(product(sorted(LANGUAGES), PARTS, (True, False))))
def test_d58_the_end_of_a_visit_is_told_in_neutral_words(language: str, part: Part, named: bool) -> None:
    texts = {
        render(
            call(Kind.CANCELLED, BY_SMS, language=language, status=status, given_name="Ada" if named else None), part
        )
        for status in OFF
    }

    assert len(texts) == 1  # an error reads as a cancellation does
    assert not re.findall(BLAMES[language], texts.pop().lower())


def test_words_of_blame_are_found() -> None:
    assert re.findall(BLAMES["en"], "this visit was entered by mistake")
    assert Status.ENTERED_IN_ERROR in OFF
