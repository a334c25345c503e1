"""The profiles in force: whose zone, and whose a message is that came over a way of several sources."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import cast
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from booking.profiles import current
from booking.profiles.current import CurrentProfiles, Profiles
from booking.profiles.domain import DEFAULT, Profile
from chassis.postgres.database import Pool
from chassis.process.errors import Unavailable


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


class Away:
    """A database that is away for the first look, and then holds one profile."""

    def __init__(self, stop: asyncio.Event) -> None:
        self.looks = 0
        self._stop = stop

    async def fetch(self, statement: str, *_: object) -> Sequence[Mapping[str, object]]:
        """Return the rows of a look, and stop after the second."""
        if "source_profile" not in statement:
            return []
        self.looks += 1
        if self.looks == 1:
            raise Unavailable("DATABASE_UNAVAILABLE", "away")
        self._stop.set()
        return [{"source": "local", "version": 3, "profile": '{"zone": "Europe/London", "newer": 1}'}]


async def test_a_database_that_is_away_ends_no_look_and_what_was_kept_meanwhile_holds_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(current, "EVERY_S", 0.001)
    stop = asyncio.Event()
    pool = Away(stop)
    profiles = CurrentProfiles(cast("Pool", pool))

    with capture_logs() as logs:
        await profiles.run(stop)

    assert (pool.looks, profiles.version_of("local"), profiles.of("local").zone) == (2, 3, "Europe/London")
    assert [one["event"] for one in logs] == ["profiles.unavailable", "profiles.keys_passed_over"]
