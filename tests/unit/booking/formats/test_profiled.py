"""What an event does not say of its zone and its mode is as its source's profile says, in whatever format it comes."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from booking.appointments.domain.command import BookAppointment
from booking.formats.fhir_r4.format import FhirR4
from booking.formats.plain.format import PlainJson
from booking.formats.port import Hints
from booking.profiles.current import Profiles
from booking.profiles.domain import Profile
from booking.values.refusals import Refused
from schemas.appointments import IngestMode
from tests.support.booking.builders import LOCAL, NOW, of_visits

PARIS = Profiles.fixed({"local": Profile(zone="Romance Standard Time", mode=IngestMode.BACKFILL)})
BY_CLINIC = Profiles.fixed({"local": Profile(clinic="EYE")}, {"EYE": "Europe/London"})
FHIR: dict[str, Any] = {
    "resourceType": "Appointment",
    "id": "v1",
    "status": "booked",
    "start": "2027-07-27T15:30:00Z",
    "end": "2027-07-27T16:00:00Z",
    "participant": [{"actor": {"reference": "Patient/p1"}, "status": "accepted"}],
}


def plain(profiles: Profiles, mode: str | None = None, **given: Any) -> BookAppointment | Refused:
    """Return what is read of a booking at 15:30 of some wall."""
    visit = {"id": "v1", "status": "booked", "start": "2027-07-27T15:30", "end": "2027-07-27T16:00", **given}
    body = {"event_id": "e1", "mode": mode, "appointment": visit}
    (found,) = of_visits(PlainJson().parse(orjson.dumps([body]), replace(Hints(LOCAL, NOW), profiles=profiles)))
    return found


@pytest.mark.parametrize(
    ("profiles", "given", "hour"),
    [
        (PARIS, {}, 13),
        (BY_CLINIC, {}, 14),
        (PARIS, {"zone": "Europe/London"}, 14),
        (PARIS, {"start": "2027-07-27T15:30Z"}, 15),
    ],
)
def test_a_time_without_offset_is_of_its_own_zone_else_of_the_profiles(
    profiles: Profiles, given: dict[str, Any], hour: int
) -> None:
    found = plain(profiles, **given)

    assert isinstance(found, BookAppointment)
    assert found.starts_at == datetime(2027, 7, 27, hour, 30, tzinfo=UTC)


def test_without_a_zone_anywhere_it_is_refused() -> None:
    found = plain(Profiles())

    assert isinstance(found, Refused)
    assert found.code == "NAIVE_TIME"


def test_an_event_that_does_not_say_its_mode_is_taken_as_the_profile_says() -> None:
    said, left_out, usual = plain(PARIS, "live"), plain(PARIS), plain(BY_CLINIC)
    (fhir,) = FhirR4().parse(orjson.dumps(FHIR), replace(Hints(LOCAL, NOW), profiles=PARIS)).commands

    modes = [one.mode for one in (said, left_out, usual, fhir) if isinstance(one, BookAppointment)]

    assert modes == [IngestMode.LIVE, IngestMode.BACKFILL, IngestMode.LIVE, IngestMode.BACKFILL]
