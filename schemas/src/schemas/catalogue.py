"""Which contract each event type carries, for every type of every topic."""

from schemas.appointments import APPOINTMENT_CHANGED, Appointment
from schemas.clearance_notices import CLEARANCE_MISSING, ClearanceMissing
from schemas.clearances import CLEARANCE_CHANGED, ClearanceChanged
from schemas.model import Contract
from schemas.notifications import NOTIFICATION_CHANGED, NotificationChanged
from schemas.people import CLINIC_CHANGED, PATIENT_CHANGED, PROVIDER_CHANGED, Clinic, Patient, Provider
from schemas.reminders import (
    CLINIC_DAY_DUE,
    REMINDER_DEAD_LETTER,
    REMINDER_DUE,
    REMINDERS_CANCELLED,
    REMINDERS_PLANNED,
    ClinicDayDue,
    ReminderDeadLetter,
    ReminderDue,
    RemindersCancelled,
    RemindersPlanned,
)
from schemas.replies import PATIENT_REPLIED, PatientReplied
from schemas.subfiles import SUB_FILE_CHANGED, SubFile

MODELS: dict[str, type[Contract]] = {
    APPOINTMENT_CHANGED: Appointment,
    PATIENT_CHANGED: Patient,
    PROVIDER_CHANGED: Provider,
    CLINIC_CHANGED: Clinic,
    SUB_FILE_CHANGED: SubFile,
    REMINDERS_PLANNED: RemindersPlanned,
    REMINDERS_CANCELLED: RemindersCancelled,
    REMINDER_DUE: ReminderDue,
    CLINIC_DAY_DUE: ClinicDayDue,
    REMINDER_DEAD_LETTER: ReminderDeadLetter,
    NOTIFICATION_CHANGED: NotificationChanged,
    PATIENT_REPLIED: PatientReplied,
    CLEARANCE_CHANGED: ClearanceChanged,
    CLEARANCE_MISSING: ClearanceMissing,
}
"""Event type → contract. A service that knows fewer types passes `decode_typed` a part of it."""
