"""Real formats first: FHIR messages go through the door, as they are and moved into the coming days."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from chassis.process.terminal import show_all
from stack.demo.changes import VISIT, Change
from stack.demo.client import Client, Refused
from stack.demo.drive import Driver
from stack.demo.expectation import Facts, expect_of
from stack.demo.found import Names
from stack.demo.new_dates import moved, weeks_ahead, weeks_back
from stack.demo.people import Patient
from stack.demo.samples import Sample, read_samples

EXAMPLES = Path(__file__).parents[4] / "examples"
CLINIC = "FHIR"
ZONE = "Europe/London"


@dataclass
class Posted:
    """What was posted, and what must come of it."""

    changes: list[Change] = field(default_factory=list)
    names: Names = field(default_factory=Names)
    samples: list[Sample] = field(default_factory=list)
    last_start: datetime | None = None

    def expected(self, until: datetime) -> Facts:
        """Return what it must have led to by an instant."""
        people = {
            sample.patient: Patient(sample.patient, "", "", sample.mobile, sample.email, registered=sample.registers)
            for sample in self.samples
        }
        providers = frozenset(sample.provider for sample in self.samples if sample.provider)
        return expect_of(self.changes, people, providers, until=until)


async def show(console: Console, client: Client, driver: Driver, folder: Path | None) -> Posted:
    """Post every sample as a past visit, then with its dates moved ahead, and show what each led to."""
    now = driver.now
    assert now is not None  # noqa: S101  # the demo steps before it posts
    where = folder or EXAMPLES
    samples = read_samples(where)
    await _register_clinic(client, samples)
    posted = Posted()
    old = _shifted(samples, lambda starts: weeks_back(max(starts), now), "-past")
    console.print(f"[bold]FHIR messages, years past[/bold] ({where}): records are made, nothing is sent (D37)")
    changes = await _post_all(console, client, driver, old, posted)
    ahead = _shifted(samples, lambda starts: weeks_ahead(min(starts), now), "-ahead")
    console.print("[bold]The same with every date moved by whole weeks into the coming days[/bold], as other visits")
    changes += await _post_all(console, client, driver, ahead, posted)
    posted.changes = changes
    posted.samples = samples
    posted.last_start = max((change.start for change in changes), default=None)
    return posted


def _shifted(samples: list[Sample], weeks_for: Callable[[list[datetime]], int], mark: str) -> list[Sample]:
    """Return the samples with all messages about one visit moved by the same whole weeks; as they are if by none."""
    shifted = []
    for sample in samples:
        starts = [other.start for other in samples if other.visit == sample.visit and other.start]
        weeks = weeks_for(starts) if starts else 0
        if weeks and sample.start:
            sample = replace(
                sample,
                name=f"{sample.name} {weeks:+} weeks",
                visit=f"{sample.visit}{mark}",
                body=moved(sample.body, weeks, mark),
                start=sample.start + timedelta(weeks=weeks),
            )
        shifted.append(sample)
    return shifted


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


async def _post_all(
    console: Console, client: Client, driver: Driver, samples: list[Sample], posted: Posted
) -> list[Change]:
    """Post in order, each when what the one before it led to has happened, and show each one's effects."""
    table = Table("message", "says", "sub-file", "reminders", "provider notice", "messages", show_lines=True)
    changes: list[Change] = []
    for sample in samples:
        try:
            answer = await client.ask("booking", "POST", f"/fhir/R4/{sample.door}", sample.body)
        except Refused as refused:
            table.add_row(sample.name, f"refused: {refused.status} {refused.code}")
            continue
        appointment = _our_id(answer)
        await driver.settle()
        table.add_row(sample.name, sample.status, *await _effects(client, sample, appointment, posted.names))
        if sample.start and driver.now:
            posted.names.appointments[sample.visit] = appointment
            changes.append(_change(sample, sample.start, driver.now))
    show_all(console, [table])
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
        "\n".join(map(said, messages)) or "none",
    ]


def said(row: dict[str, Any]) -> str:
    """Return a message as the table shows it: the channel once a carrier took it, until then and without it the state.

    A message that waits or was skipped has a channel too: the one that it would go, or would have gone, by.
    """
    state = row["state"]
    told = row["channel"] if state == "accepted" else " ".join(filter(None, (state, row["reason"])))
    return f"{row['kind']}: {told}"


def _reminder(row: dict[str, Any]) -> str:
    when = datetime.fromisoformat(row["scheduled_for"])
    return f"{row['rule']} {row['status']} {row['reason'] or f'for {when:%a %d %b %H:%M} UTC'}"


def _change(sample: Sample, start: datetime, now: datetime) -> Change:
    return Change(
        at=now,
        event_id=sample.name,
        appointment=sample.visit,
        status=sample.status,
        patient=sample.patient,
        clinic=CLINIC,
        zone=ZONE,
        start=start,
        provider=sample.provider,
        length=sample.length or VISIT,
    )
