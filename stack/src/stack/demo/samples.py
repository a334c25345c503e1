"""Reads FHIR samples for the expectation: who, when, with whom, by what address. No code of booking's is used."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

Identifier = tuple[str, str]

TRUNK, COUNTRY = "0", "+44"
"""The samples' national numbers are British."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One FHIR message, or one `Appointment` alone."""

    name: str
    visit: str
    body: bytes
    door: str
    status: str
    changed_at: str
    start: datetime | None
    length: timedelta | None
    patient: str
    registers: bool
    email: str | None
    mobile: str | None
    provider: str | None
    clinic_identifiers: tuple[Identifier, ...]


def read_samples(folder: Path) -> list[Sample]:
    """Return the messages and appointments below a folder, or below its `fhir`, in upstream's order.

    Other files are left alone.
    """
    below = folder / "fhir" if (folder / "fhir").is_dir() else folder
    found = (read_sample(path.name, path.read_bytes()) for path in sorted(below.rglob("*.json")))
    return sorted((sample for sample in found if sample), key=lambda sample: sample.changed_at)


def read_sample(name: str, body: bytes) -> Sample | None:
    """Return what is in a file, or None if it is neither a message with an appointment nor an appointment."""
    content = orjson.loads(body)
    resources = {e.get("fullUrl", ""): e["resource"] for e in content.get("entry", [])} or {"": content}
    appointment = next((r for r in resources.values() if r["resourceType"] == "Appointment"), None)
    if appointment is None or (content["resourceType"] == "Bundle" and content.get("type") != "message"):
        return None
    patient = next((r for r in resources.values() if r["resourceType"] == "Patient"), None)
    known = (patient or {}).get("identifier", [])
    start, end = appointment.get("start"), appointment.get("end")
    return Sample(
        name=name,
        visit=_identity(appointment, next(url for url, r in resources.items() if r is appointment)),
        body=body,
        door="$process-message" if content["resourceType"] == "Bundle" else "Appointment",
        status=appointment["status"],
        changed_at=appointment.get("meta", {}).get("lastUpdated", ""),
        start=datetime.fromisoformat(start).astimezone(UTC) if start else None,
        length=datetime.fromisoformat(end) - datetime.fromisoformat(start) if start and end else None,
        patient=known[0]["value"] if known else _actor(appointment, "Patient"),
        registers=patient is not None,
        email=_address(patient, "email"),
        mobile=_mobile(patient),
        provider=_practitioner(resources.values(), appointment),
        clinic_identifiers=tuple(_clinics(resources.values(), appointment)),
    )


def _identity(appointment: dict[str, Any], focus: str) -> str:
    """Return the identifier, else the id, else the message's focus."""
    known = appointment.get("identifier", [])
    return str(known[0]["value"] if known else appointment.get("id", focus))


def _telecoms(patient: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Return the patient's own addresses: his, else those of the contact who is himself; the best rank first."""
    own = (patient or {}).get("telecom", [])
    for contact in (patient or {}).get("contact", []) if not own else []:
        codes = {c["code"] for r in contact.get("relationship", []) for c in r.get("coding", [])}
        own = own or (contact.get("telecom", []) if codes & {"ONESELF", "self"} else [])
    return sorted(own, key=lambda telecom: telecom.get("rank", 99))


def _address(patient: dict[str, Any] | None, system: str, use: str | None = None) -> str | None:
    fitting = [t["value"] for t in _telecoms(patient) if t["system"] == system and use in (None, t.get("use"))]
    return fitting[0] if fitting else None


def _mobile(patient: dict[str, Any] | None) -> str | None:
    number = (_address(patient, "phone", "mobile") or "").replace(" ", "")
    return (COUNTRY + number[1:] if number.startswith(TRUNK) else number) or None


def _actor(appointment: dict[str, Any], kind: str) -> str:
    references = [p.get("actor", {}).get("reference", "") for p in appointment.get("participant", [])]
    return next((reference for reference in references if reference.startswith((f"{kind}/", "urn:uuid:"))), "")


def _practitioner(resources: Iterable[dict[str, Any]], appointment: dict[str, Any]) -> str | None:
    """Return the practitioner's name: as the appointment displays it, else as his resource in the message has it."""
    for actor in (p.get("actor", {}) for p in appointment.get("participant", [])):
        if actor.get("reference", "").startswith("Practitioner/"):
            display: str | None = actor.get("display")
            return display
    practitioner = next((r for r in resources if r["resourceType"] == "Practitioner"), None)
    return practitioner["name"][0].get("family") if practitioner else None


def _clinics(resources: Iterable[dict[str, Any]], appointment: dict[str, Any]) -> Iterator[Identifier]:
    for resource in resources:
        for destination in resource.get("destination", []) if resource["resourceType"] == "MessageHeader" else []:
            system, _, value = destination.get("endpoint", "").partition("|")
            yield system, value
        for known in resource.get("identifier", []) if resource["resourceType"] == "HealthcareService" else []:
            yield known["system"], known["value"]
    system, _, value = _actor(appointment, "Location").partition("/")
    if value:
        yield system, value
