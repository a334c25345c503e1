"""What the notifier reads of a clinic just before it sends: its country, and how it is reached."""

from uuid import UUID

import asyncpg
import pytest

from tests.support.booking.door import Door, booking
from tests.support.installation import Installation

HELD = """
INSERT INTO clinic_details (clinic_id, details, services)
SELECT clinic_id, '{"phone": "+442079460018", "address": "1 Long Street"}',
       '{"MRI": {"address": "Basement", "preparation": "No metal"}}'
FROM clinic"""


async def asked(base: Installation, *appointment_ids: UUID) -> dict[UUID, tuple[str, str]]:
    """Return what the gate tells the notifier: the clinic's country, and its details as JSON."""
    notifier = await asyncpg.connect(base.service_url("notifier"))
    try:
        rows = await notifier.fetch(
            "SELECT appointment_id, clinic_country, clinic_details FROM booking.clinic_gate($1::uuid[])",
            list(appointment_ids),
        )
        return {row["appointment_id"]: (row["clinic_country"], row["clinic_details"]) for row in rows}
    finally:
        await notifier.close()


async def test_a_service_types_own_details_go_before_the_clinics_field_by_field(door: Door, base: Installation) -> None:
    await door.pool.execute(HELD)
    plain, other, mri = [
        UUID((await door.post(booking(f"e{n}", f"v{n}", service_type=service)))["appointment_id"])
        for n, service in enumerate((None, "X-ray", "MRI"))
    ]

    found = await asked(base, plain, other, mri)

    clinics = '{"phone": "+442079460018", "address": "1 Long Street"}'
    assert found == {
        plain: ("GB", clinics),
        other: ("GB", clinics),
        mri: ("GB", '{"phone": "+442079460018", "address": "Basement", "preparation": "No metal"}'),
    }


async def test_a_clinic_of_the_release_before_has_none(door: Door, base: Installation) -> None:
    visit = UUID((await door.post(booking("e1", "v1")))["appointment_id"])

    assert await asked(base, visit) == {visit: ("GB", "{}")}


async def test_the_clinic_gate_is_the_notifiers_alone(base: Installation) -> None:
    records = await asyncpg.connect(base.service_url("records"))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await records.fetch("SELECT clinic_country FROM booking.clinic_gate('{}'::uuid[])")
    finally:
        await records.close()
