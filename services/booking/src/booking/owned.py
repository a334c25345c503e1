"""Booking's own topics, and where its database has what is in them."""

from uuid import UUID

from chassis.delivery.high_water import Owned
from schemas.topics import APPOINTMENTS, CLEARANCES, CLINICS, PATIENTS, PROVIDERS

OWNED = (
    Owned(
        APPOINTMENTS,
        "appointment_id",
        UUID,
        "SELECT appointment_id::text, version FROM appointment WHERE appointment_id = ANY ($1::uuid[])",
    ),
    Owned(
        PATIENTS,
        "patient_id",
        UUID,
        "SELECT patient_id::text, version FROM patient WHERE patient_id = ANY ($1::uuid[])",
    ),
    Owned(
        PROVIDERS,
        "provider_id",
        UUID,
        "SELECT provider_id::text, version FROM provider WHERE provider_id = ANY ($1::uuid[])",
    ),
    Owned(
        CLEARANCES,
        "appointment_id",
        UUID,
        "SELECT appointment_id::text, max(version) AS version FROM clearance WHERE appointment_id = ANY ($1::uuid[]) "
        "GROUP BY appointment_id",
    ),
    Owned(CLINICS, "clinic_id", str, "SELECT clinic_id, version FROM clinic WHERE clinic_id = ANY ($1::text[])"),
)
"""A main-file number travels with the patient to whom it was issued: a number that would be issued again belongs to a
patient, or a version of one, that the database does not know."""
