"""How many reminders a change takes back, said in its answer (R14)."""

from datetime import datetime

from booking.appointments.domain.state import AppointmentState
from booking.clinics.domain.clinic import ClinicState
from schemas.appointments import SENDABLE, Bar
from schemas.hours import hours_of
from schemas.instants import micros
from schemas.planning import lead_of, reason_not_to_remind, slots


def reminders_cancelled(
    held: AppointmentState | None,
    changed: AppointmentState,
    clinic: ClinicState | None,
    barred: Bar | None,
    now: datetime,
) -> int | None:
    """Return how many reminders of the held version were still to come and will not leave after the change.

    None if the change ends no schedule: only a move, a cancellation and the like do.

    They are those whose moment lies ahead, by the function that the reminders worker plans with; what it has handed
    over already is the send gate's to stop.

    Args:
        barred: Why no message may go to the patient of the version before (D44), if so.
    """
    if held is None or clinic is None or held.starts_at is None or held.status not in SENDABLE:
        return None
    if changed.status in SENDABLE and changed.schedule_gen == held.schedule_gen:
        return None
    policy, set_at = clinic.policy_for(held.service_type), micros(held.schedule_set_at or held.ingest_time)
    leads, never = map(lead_of, policy.rules), reason_not_to_remind(held.status, barred)
    planned = slots(micros(held.starts_at), clinic.zone, leads, set_at, never, hours_of(policy.window))
    return sum(slot.reason is None and slot.due > micros(now) for slot in planned)
