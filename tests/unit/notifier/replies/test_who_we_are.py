"""Who asks who we are is told, as well as it can be said."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from notifier.replies.domain.visits import Messaged
from notifier.replies.domain.who_we_are import INTRODUCTIONS, LONGEST_NAME, who_we_are
from notifier.wording.domain.sms_segments import segments
from notifier.wording.words import LANGUAGES
from schemas.appointments import Status
from tests.support.notifier.builders import NOW

PHONE = "+442079460018"


def written_to(clinic: str = "NORTH", **changes: Any) -> Messaged:
    """Return a visit tomorrow that somebody was told of."""
    visit: dict[str, Any] = {
        "appointment_id": uuid4(),
        "patient_id": uuid4(),
        "clinic_id": clinic,
        "status": Status.BOOKED,
        "starts_at": NOW + timedelta(days=1),
        "told_gen": 1,
        "schedule_gen": 1,
        "reachable": True,
        "replies": True,
        "codes": (),
        "clinic_name": f"{clinic.title()} Clinic",
        "clinic_phone": PHONE,
        "languages": ("en",),
    }
    return Messaged(**{**visit, **changes})


@pytest.mark.parametrize(
    ("messaged", "begins"),
    [
        ([written_to()], f"North Clinic ({PHONE}) writes"),
        ([written_to(), written_to()], f"North Clinic ({PHONE}) writes"),
        ([written_to(clinic_phone="")], "North Clinic writes"),
        ([written_to(clinic_name="", clinic_phone="")], "Your clinic writes"),
        ([written_to(), written_to("SOUTH", clinic_phone="+442079460777")], "Your clinic writes"),
        ([written_to(), written_to("SOUTH", starts_at=NOW - timedelta(days=9))], f"North Clinic ({PHONE}) writes"),
        ([written_to(languages=("de-AT", "en"))], f"North Clinic ({PHONE}) schreibt"),
        ([written_to(languages=("tr", "fr"))], f"North Clinic ({PHONE}) vous"),
        ([], "Your clinic writes"),
    ],
)
def test_d57_it_names_the_clinic_and_its_phone_where_they_are_certain(messaged: list[Messaged], begins: str) -> None:
    said = who_we_are(messaged, NOW)

    assert said.startswith(begins)
    assert "STOP" in said


def test_every_language_that_we_write_in_says_it_in_two_segments_at_most() -> None:
    assert set(INTRODUCTIONS) == LANGUAGES
    for language in INTRODUCTIONS:
        longest = written_to(languages=(language,), clinic_name="W" * (LONGEST_NAME + 1))
        assert segments(who_we_are([longest], NOW)).count <= 2
