"""From sub-files to events of the topic `subfiles`."""

from datetime import datetime
from uuid import UUID

from chassis.delivery.high_water import Owned
from chassis.outbox.writer import Outgoing
from records.domain import SubFile
from schemas import subfiles
from schemas.envelope import Envelope
from schemas.subfiles import SUB_FILE_CHANGED
from schemas.topics import SUBFILES
from schemas.wire import derived_id, encode

SOURCE = "attend/records"
NO_MAIN_FILE = "NO_MAIN_FILE"
"""Why a sub-file is parked (D5)."""

OWNED = (
    Owned(
        SUBFILES,
        "sub_file_id",
        UUID,
        "SELECT sub_file_id::text, version FROM sub_file WHERE sub_file_id = ANY ($1::uuid[])",
    ),
)
"""Records' own topic, and where its database has what is in it."""


def sub_file_changed(file: SubFile, now: datetime) -> Outgoing:
    """Return the event of this version of a sub-file; the same version always has the same id."""
    body = subfiles.SubFile.model_validate(
        {
            "sub_file_id": file.sub_file_id,
            "version": file.version,
            "status": file.status,
            "number": file.number,
            "patient_id": file.patient_id,
            "clinic_id": file.clinic_id,
            "provider_id": file.provider_id,
            "appointment_id": file.appointment_id,
            "caused_by": file.caused_by,
            "reason": None if file.number else NO_MAIN_FILE,
        }
    )
    event_id = str(derived_id("sub-file-event", file.sub_file_id, file.version))
    envelope = Envelope(event_id, SUB_FILE_CHANGED, SOURCE, file.sub_file_id, now)
    return Outgoing(SUBFILES, file.sub_file_id, envelope, encode(body))
