"""Other people's files, through the door as they are: what each row, line and event is answered, and what it makes.

`make test-samples` runs this and prints the table; the samples are not part of the project.
"""

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from booking.door.domain import Client
from booking.files.kinds import CONTENT_TYPES, kind_of
from tests.support import databases
from tests.support.backends import PostgresServer
from tests.support.booking.door import Door, opened
from tests.support.examples import ROOT
from tests.support.installation import Installation

FOLDER = Path(os.environ.get("SAMPLES", Path(__file__).parents[3] / "shared" / "samples"))
LONDON = {"zone": "Europe/London", "country": "GB", "mode": "backfill"}
WEBCHART = {
    **LONDON,
    "csv": {
        "columns": {
            "patient_id": "patient.MRN", "start": "sched.Start Date", "end": "sched.End Date",
            "duration": "sched.Duration", "cancelled": "sched.Canceled", "confirmed": "sched.Confirmed",
            "service_type": "sched.Type1",
        },
        "duration_unit": "seconds",
        "words": {"2": "no-show"},
    },
}  # fmt: skip

TABLE = """
csv/made-here-pms-migration-format.csv
  applied | fulfilled, 2027-03-28T01:30Z, - SKIPPED_HOUR
  applied | booked, 2027-03-28T09:00Z, -
  applied | booked, 2027-10-31T00:30Z, - DOUBLED_HOUR
csv/made-here-sms-suite-format.csv
  applied | booked, 2027-07-27T05:30Z, Ada Test, reachable
  applied | booked, 2027-06-04T23:05Z, Ben O'Test, Jr
csv/made-here-webchart-import-format.csv
  applied | booked, 2027-04-12T08:30Z, -, confirmed
  applied | cancelled, 2027-04-12T09:00Z, -
  applied | noshow, 2027-03-01T10:00Z, -
icalendar/issue_165_missing_event.ics
  NO_APPOINTMENT_ID VEVENT.UID
icalendar/issue_350.ics
  PATIENT_REQUIRED appointment.patient
ndjson/Appointment.ndjson
  applied | booked, 2013-12-10T09:00Z, - UNKNOWN_PATIENT
  applied | proposed, 2022-12-10T09:00Z, -
  applied | proposed, -, -
"""
"""File; of each of its records what it is answered, and of a visit that was taken its status, start (UTC), patient."""


@pytest.fixture
async def door(postgres: PostgresServer, migrated_template: str) -> AsyncIterator[Door]:
    """Give the API with a clinic in London."""
    async with (
        databases.fresh(postgres, migrated_template) as admin_url,
        opened(Installation("127.0.0.1:1", admin_url, "")) as found,
    ):
        yield found


def profile_of(name: str) -> dict[str, Any]:
    """Return what a source means by a file, where it is not what all defaults say."""
    if name == "csv/made-here-sms-suite-format.csv":
        found: dict[str, Any] = YAML(typ="safe").load(ROOT / "examples" / "profiles" / "surgery-csv.yaml")
        return {key: value for key, value in found.items() if key != "source"} | {"clinic": "SYD"}
    return WEBCHART if "webchart" in name else LONDON


async def told(door: Door, name: str, number: int) -> list[str]:
    """Return a line for the file, and one for each of its records."""
    body, source = (FOLDER / name).read_bytes(), f"feed-{number}"
    client = Client(source, (source,), may_register=True, may_manage_clinics=True, default_clinic="EYE")
    key = await door.client(client)
    given = await door.ask("PUT", f"/v1/sources/{source}/profile", {"profile": profile_of(name)}, key=key)
    assert given.status_code == 200, given.text
    answer = await door.ask("POST", "/v1/files", body, key=key, content_type=CONTENT_TYPES[kind_of(body)])
    assert answer.status_code == 200, answer.text
    lines = [name]
    for one in answer.json()["results"]:
        if "code" in one:
            lines.append(f"  {one['code']} {one['place']}".rstrip())
            continue
        warned = " ".join(sorted({warning["code"] for warning in one["warnings"]}))
        lines.append(f"  {one['result']} | {await visit_of(door, one['appointment_id'])} {warned}".rstrip())
    return lines


async def visit_of(door: Door, appointment_id: str) -> str:
    asked = """
        SELECT a.status, starts_at, confirmed, given_name, family_name, mobile IS NOT NULL AS reachable
        FROM appointment a LEFT JOIN patient USING (patient_id) WHERE appointment_id = $1::text::uuid
    """
    row = await door.pool.fetchrow(asked, appointment_id)
    assert row is not None
    starts = "-" if row["starts_at"] is None else f"{row['starts_at']:%Y-%m-%dT%H:%MZ}"
    who = " ".join(filter(None, (row["given_name"], row["family_name"]))) or "-"
    return ", ".join(
        [row["status"], starts, who, *["reachable"] * bool(row["reachable"]), *["confirmed"] * row["confirmed"]]
    )


async def test_every_file_is_answered_and_makes_of_its_visits_what_the_table_says(
    door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    await door.put("/v1/clinics/SYD", {"name": "Surgery", "zone": "Australia/Sydney", "country": "AU"})
    names = [
        f"{kind}/{path.name}" for kind in ("csv", "icalendar", "ndjson") for path in sorted((FOLDER / kind).iterdir())
    ]
    assert names, f"{FOLDER} is missing: SAMPLES must name the folder of the samples"

    found = [line for number, name in enumerate(names) for line in await told(door, name, number)]

    with capsys.disabled():
        sys.stdout.write("\n".join(["", *found, ""]))
    assert found == TABLE.strip("\n").splitlines()
