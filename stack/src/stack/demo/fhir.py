"""Real formats first: FHIR messages go through the door, as they are and moved into the coming days."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from stack.demo.changes import Change
from stack.demo.client import Client, Refused
from stack.demo.drive import Driver
from stack.demo.expectation import Facts, expect_of
from stack.demo.found import Names
from stack.demo.moving import moved, weeks_ahead
from stack.demo.people import Patient
from stack.demo.samples import Sample, read_samples

EXAMPLES = Path(__file__).parents[4] / "examples"
CLINIC = "FHIR"
ZONE = "Europe/London"


@dataclass
class Posted:
    """What was posted, and what must come of it."""

    names: Names = field(default_factory=Names)
    expected: Facts = field(default_factory=Facts)
    refused: list[str] = field(default_factory=list)


async def show(console: Console, client: Client, driver: Driver, folder: Path | None) -> Posted:
    """Post every sample as it is, then with its dates moved, and show what each led to.

    Args:
        console: Where to show it.
        client: The way in.
        driver: The clock.
        folder: Where the samples are; the project's own examples without it.
    """
    now = driver.now
    assert now is not None  # noqa: S101  # the demo steps before it posts
    samples = read_samples(folder or EXAMPLES)
    await _register_clinic(client, samples)
    posted = Posted()
    changes: list[Change] = []
    console.print(f"[bold]FHIR messages as they are[/bold] ({folder or EXAMPLES}): past visits make records only (D37)")
    changes += await _post_all(console, client, driver, samples, posted, now)
    ahead = [(sample, weeks_ahead(sample.start, now)) for sample in samples if sample.start]
    console.print(
        "[bold]The same with every date moved by whole weeks[/bold], as other visits: "
        + ", ".join(f"{sample.name} +{weeks} weeks" for sample, weeks in ahead)
    )
    later = [_moved(sample, weeks) for sample, weeks in ahead]
    changes += await _post_all(console, client, driver, later, posted, now)
    posted.expected = _expect(changes, samples)
    return posted


async def _register_clinic(client: Client, samples: list[Sample]) -> None:
    """Enter one clinic that all identifiers in the samples stand for."""
    identifiers = {pair for sample in samples for pair in sample.clinic_identifiers}
    body = {
        "name": "The clinic of the FHIR messages",
        "zone": ZONE,
        "languages": ["en"],
        "country": "GB",
        "identifiers": [{"system": system, "value": value} for system, value in sorted(identifiers)],
    }
    await client.ask("booking", "PUT", f"/v1/clinics/{CLINIC}", body)


def _moved(sample: Sample, weeks: int) -> Sample:
    start = sample.start + timedelta(weeks=weeks) if sample.start else None
    return Sample(
        **{
            **_fields(sample),
            "body": moved(sample.body, weeks, "-moved"),
            "start": start,
            "name": f"{sample.name} +{weeks} weeks",
        }
    )


def _fields(sample: Sample) -> dict[str, Any]:
    return {name: getattr(sample, name) for name in Sample.__dataclass_fields__}


async def _post_all(
    console: Console, client: Client, driver: Driver, samples: list[Sample], posted: Posted, now: datetime
) -> list[Change]:
    table = Table("message", "answer", "sub-file", "reminders", "provider notice", "messages")
    changes: list[Change] = []
    known: list[tuple[Sample, str]] = []
    for sample in samples:
        try:
            answer = await client.ask("booking", "POST", f"/fhir/R4/{sample.door}", sample.body)
        except Refused as refused:
            table.add_row(sample.name, f"{refused.status} {refused.code}", "", "", "", "")
            posted.refused.append(sample.name)
            continue
        appointment = _our_id(answer)
        posted.names.appointments[sample.name] = appointment
        known.append((sample, appointment))
        if sample.start:
            changes.append(_change(sample, sample.start, now))
    await driver.settle()
    for sample, appointment in known:
        table.add_row(sample.name, sample.status, *await _effects(client, sample, appointment, posted.names))
    console.print(table)
    return changes


def _our_id(answer: dict[str, Any]) -> str:
    """Return the appointment id in an answer: a message with the appointment second, or the appointment alone."""
    resource = answer["entry"][1]["resource"] if answer["resourceType"] == "Bundle" else answer
    return str(resource["id"])


async def _effects(client: Client, sample: Sample, appointment: str, names: Names) -> list[str]:
    current = (await client.ask("booking", "GET", f"/v1/appointments/{appointment}"))["current"]
    names.patients[sample.patient] = current["patient_id"]
    provider = current.get("provider_id")
    if provider and sample.provider:
        names.providers[sample.provider] = provider
    notices = [row for row in await client.inbox(provider) if row["appointment_id"] == appointment] if provider else []
    messages = [row for row in await client.notifications(appointment) if row["recipient"] == "patient"]
    return [
        ", ".join(str(row["number"] or row["status"]) for row in await client.sub_files_of(current["patient_id"])),
        "\n".join(_reminder(row) for row in await client.reminders(appointment)),
        ", ".join(row["title"] for row in notices) or "none",
        "\n".join(f"{row['kind']}: {row['channel'] or row['reason']}" for row in messages) or "none",
    ]


def _reminder(row: dict[str, Any]) -> str:
    when = datetime.fromisoformat(row["scheduled_for"])
    return f"{row['rule']} {row['status']} {row['reason'] or f'for {when:%a %d %b %H:%M} UTC'}"


def _change(sample: Sample, start: datetime, now: datetime) -> Change:
    return Change(
        at=now,
        event_id=sample.name,
        appointment=sample.name,
        status=sample.status,
        patient=sample.patient,
        clinic=CLINIC,
        zone=ZONE,
        start=start,
        provider=sample.provider,
    )


def _expect(changes: list[Change], samples: list[Sample]) -> Facts:
    people = {
        sample.patient: Patient(sample.patient, "", "", sample.mobile, sample.email, registered=sample.registers)
        for sample in samples
    }
    providers = frozenset(sample.provider for sample in samples if sample.provider)
    return expect_of(changes, people, providers)
