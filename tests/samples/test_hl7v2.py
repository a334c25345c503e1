"""Other people's messages of HL7 v2, through the door as they are: what each is answered, and what it makes of a visit.

`make test-samples` runs this and prints the table; the samples are not part of the project.
"""

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from booking.door.domain import Client
from booking.formats.hl7v2.batches import split
from booking.formats.hl7v2.segments import read
from tests.support import databases
from tests.support.backends import PostgresServer
from tests.support.booking.door import Door, opened
from tests.support.installation import Installation

FOLDER = Path(os.environ.get("SAMPLES", Path(__file__).parents[3] / "shared" / "samples")) / "hl7v2"
HL7 = "application/hl7-v2"
PROFILE = {"profile": {"zone": "Europe/London", "country": "GB"}, "reason": "what a hospital in London sends"}

TABLE = """
athena-like/SIU-S12.hl7 AA | booked, 2027-03-22T13:20Z, 00432, version 1
batch/BHS-two-ADT-A04.hl7 wants no answer
batch/sample_file1.hl7 wants no answer
dcm4che/ADT-A31.hl7 AA
dcm4che/SIU-S12-without-SCH.hl7 AR NO_SCH
efferent/ADT-A28-italian-sap.hl7 AA
hl7-v2-to-fhir/SIU-S12.hl7 CA | booked, 2015-06-13T13:00Z, V2FHIR|1032702, version 1
ipf/ADT-A04.hl7 AA
ipf/ADT-A40.hl7 AA
linuxforhealth/ADT-A40.hl7 AA
ms-fhir-converter/SIU-S12-01.hl7 AA | booked, 2021-09-24T07:15Z, test1|PATID1234, version 1
ms-fhir-converter/SIU-S13-01.hl7 AA | booked, 2021-09-24T07:15Z, test1|PATID1234, version 1
ms-fhir-converter/SIU-S14-01.hl7 AA | booked, 2021-09-24T07:15Z, test1|PATID1234, version 1
ms-fhir-converter/SIU-S15-01.hl7 AA | cancelled, 2021-09-24T07:15Z, test1|PATID1234, version 2
ms-fhir-converter/SIU-S16-01.hl7 AA | cancelled, 2021-09-24T07:15Z, test1|PATID1234, version 2
ms-fhir-converter/SIU-S17-01.hl7 AA | entered-in-error, 2021-09-24T07:15Z, test1|PATID1234, version 3
ms-fhir-converter/SIU-S26-01.hl7 AA | noshow, 2021-09-24T07:15Z, test1|PATID1234, version 4
nextgen-connect/SIU-S12.hl7 AA | booked, 2011-06-17T07:45Z, 42, version 1
nextgen-connect/SIU-S14.hl7 AA | booked, 2011-06-17T07:45Z, 42, version 1
node-hl7/SIU-S12-epic-like.hl7 AA | booked, 2022-02-18T15:30Z, MRN|3002505, version 1
pkb/SIU-S12.hl7 AA | booked, 2014-11-20T12:31Z, NHS|9999999999, version 1
renalware/ADT-A04.hl7 AA
renalware/ADT-A28.hl7 CA
renalware/SIU-S12.hl7 AA | booked, 2024-11-06T12:00Z, RNJ 5C4 MRN|10769857, version 1, confirmed
renalware/SIU-S15.hl7 AA | cancelled, -, None, version 0
"""
"""File, in this order; what it is answered; of the visit that it names its status, start (UTC), patient, version."""


@pytest.fixture
async def door(postgres: PostgresServer, migrated_template: str) -> AsyncIterator[Door]:
    """Give the API with a clinic in London."""
    async with (
        databases.fresh(postgres, migrated_template) as admin_url,
        opened(Installation("127.0.0.1:1", admin_url, "")) as found,
    ):
        yield found


def messages() -> list[tuple[Path, bytes]]:
    assert FOLDER.is_dir(), f"{FOLDER} is missing: SAMPLES must name the folder of the samples"
    return [(path, path.read_bytes()) for path in sorted(FOLDER.rglob("*.hl7"))]


async def told(door: Door, key: str, path: Path, body: bytes) -> list[str]:
    """Return a line for each message of a file."""
    answer = await door.ask("POST", "/v1/hl7v2", body, key=key, content_type=HL7)
    name = str(path.relative_to(FOLDER))
    if not answer.content:
        return [f"{name} wants no answer"]
    lines = []
    for one in split(answer.content):
        found, error = (read(one).first(name) for name in ("MSA", "ERR"))
        assert found is not None
        why = (error.text(5) or error.text(1, 4, 2)) if error is not None else ""
        lines.append(" ".join([name, *filter(None, (found.text(1), why))]))
    return lines


async def visit_of(door: Door, number: str) -> str:
    """Return the visit of which the source's own number is this."""
    asked = """
        SELECT status, starts_at, version, confirmed, (SELECT source_id FROM patient_alias p
               WHERE p.patient_id = a.patient_id ORDER BY source_id LIMIT 1) AS patient
        FROM appointment a JOIN appointment_alias n USING (appointment_id) WHERE n.source_id = $1
    """
    row = await door.pool.fetchrow(asked, number)
    if row is None:
        return "no visit"
    starts = "-" if row["starts_at"] is None else f"{row['starts_at']:%Y-%m-%dT%H:%MZ}"
    named = (row["status"], starts, row["patient"], f"version {row['version']}", *["confirmed"] * row["confirmed"])
    return ", ".join(map(str, named))


def number_of(body: bytes) -> str:
    """Return by which name the visit of a message is shown."""
    try:
        schedule = read(body).first("SCH")
    except ValueError:
        return ""
    if schedule is None:
        return ""
    return f"filler|{schedule.text(2)}" if schedule.text(2) else f"placer|{schedule.text(1)}"


async def test_every_message_is_answered_and_makes_of_its_visit_what_the_table_says(
    door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    rights = {"may_register": True, "may_manage_clinics": True, "default_clinic": "EYE"}
    key = await door.client(Client("feed", ("feed",), **rights))  # type: ignore[arg-type]
    given = await door.ask("PUT", "/v1/sources/feed/profile", PROFILE, key=key)
    assert given.status_code == 200, given.text
    found = []
    for path, body in messages():
        number = number_of(body)
        for line in await told(door, key, path, body):
            found.append(f"{line} | {await visit_of(door, number)}" if number else line)
    with capsys.disabled():
        sys.stdout.write("\n".join(["", *found, ""]))
    assert found == TABLE.strip().splitlines()
