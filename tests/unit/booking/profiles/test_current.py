"""The profiles in force: whose zone, and whose a message is that came over a way of several sources."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest

from booking.profiles.current import Profiles
from booking.profiles.domain import DEFAULT, Profile


def meant(*, application: Sequence[str] = (), facility: Sequence[str] = ()) -> Profile:
    """Return a profile of messages of these senders."""
    match = {"sending_application": list(application), "sending_facility": list(facility)}
    return Profile.model_validate({"hl7v2": {"match": match}})


KNOWN = Profiles.fixed(
    {
        "epic": meant(application=["EPIC"]),
        "epic-north": meant(application=["EPIC"], facility=["NORTH", "NORTH2"]),
        "north": meant(facility=["NORTH"]),
        "twin": meant(application=["TWIN"]),
        "twin-too": meant(application=["TWIN"]),
        "files": DEFAULT,
    }
)

MATCHES: Sequence[tuple[Sequence[str], str, str, str | None]] = (
    (["epic"], "EPIC", "SOUTH", "epic"),
    (["epic"], "CERNER", "SOUTH", None),
    (["epic", "epic-north", "north"], "EPIC", "NORTH2", "epic-north"),
    (["epic", "epic-north", "north"], "EPIC", "SOUTH", "epic"),
    (["epic", "north"], "EPIC", "NORTH", None),
    (["epic", "files"], "CERNER", "", "files"),
    (["epic", "nobody-spoke-of-it"], "CERNER", "", "nobody-spoke-of-it"),
    (["files", "nobody-spoke-of-it"], "CERNER", "", None),
    (["twin", "twin-too"], "TWIN", "", None),
    (["*"], "EPIC", "NORTH", "epic-north"),
    (["*"], "CERNER", "", None),
    ([], "EPIC", "", None),
)


@pytest.mark.parametrize(("sources", "application", "facility", "expected"), MATCHES)
def test_a_message_is_of_the_source_that_names_its_sender_most_exactly(
    sources: Sequence[str], application: str, facility: str, expected: str | None
) -> None:
    assert KNOWN.matching(sources, application, facility) == expected


def test_a_source_of_which_nothing_was_said_has_the_default_profile() -> None:
    assert KNOWN.of("nobody-spoke-of-it") is DEFAULT
    assert KNOWN.of(None) is DEFAULT
    assert (KNOWN.version_of("epic"), KNOWN.version_of("nobody-spoke-of-it")) == (1, 0)


def test_naive_times_are_of_the_profiles_zone_else_of_its_default_clinics() -> None:
    profiles = Profiles.fixed(
        {
            "own": Profile(zone="W. Europe Standard Time", clinic="EYE"),
            "by-clinic": Profile(clinic="EYE"),
            "by-unknown-clinic": Profile(clinic="EAR"),
            "none": DEFAULT,
        },
        {"EYE": "Europe/London"},
    )

    assert profiles.zone_of("own") == ZoneInfo("Europe/Berlin")
    assert profiles.zone_of("by-clinic") == ZoneInfo("Europe/London")
    assert [profiles.zone_of(source) for source in ("by-unknown-clinic", "none", "new", None)] == [None] * 4
