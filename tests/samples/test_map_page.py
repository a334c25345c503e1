"""The page of explained messages shows what is said of four of other people's: docs/booking/map.md.

The samples are not part of the project. What differs is printed, as it is to stand on the page.
"""

import os
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from booking.door.domain import Client
from chassis.process.clock import StillClock
from stack.commands.mapping_view import lines
from stack.commands.media_types import media_type_of
from tests.support import databases
from tests.support.backends import PostgresServer
from tests.support.booking.door import Door, opened
from tests.support.examples import ROOT
from tests.support.installation import Installation

FOLDER = Path(os.environ.get("SAMPLES", Path(__file__).parents[3] / "shared" / "samples"))
PAGE = ROOT / "docs" / "booking" / "map.md"
NOVEMBER = datetime(2024, 11, 1, 9, tzinfo=UTC)
SAMPLES = (
    "hl7v2/renalware/SIU-S12.hl7",
    "fhir/nhs-bars/booking-request-message-bundle.json",
    "hl7v2/renalware/ADT-A28.hl7",
    "hl7v2/dcm4che/SIU-S12-without-SCH.hl7",
)


@pytest.fixture
async def door(postgres: PostgresServer, migrated_template: str) -> AsyncIterator[Door]:
    """Give the API on the day of the page."""
    async with (
        databases.fresh(postgres, migrated_template) as admin_url,
        opened(Installation("127.0.0.1:1", admin_url, ""), StillClock(NOVEMBER)) as found,
    ):
        yield found


async def explained(door: Door, key: str, name: str) -> str:
    """Return what `attend map --explain` prints of a sample."""
    body, path = (FOLDER / name).read_bytes(), Path(name)
    type_ = media_type_of(path, body)
    answer = await door.ask("POST", "/v1/sources/feed/map", body, key=key, content_type=type_ or "")
    assert answer.status_code == 200, answer.text
    return "\n".join(lines(path.name, answer.json(), explain=True))


async def test_the_page_shows_what_is_said(door: Door) -> None:
    rights = {"may_register": True, "may_manage_clinics": True, "default_clinic": "EYE"}
    key = await door.client(Client("feed", ("feed",), **rights))  # type: ignore[arg-type]
    profile = {"profile": {"zone": "Europe/London", "country": "GB"}}
    given = await door.ask("PUT", "/v1/sources/feed/profile", profile, key=key)
    assert given.status_code == 200, given.text

    said = [await explained(door, key, name) for name in SAMPLES]

    shown = [one for one in re.findall(r"```\n(.+?)\n```", PAGE.read_text(), re.DOTALL) if " of feed as " in one]
    assert shown == said, "\n\n".join(said)
