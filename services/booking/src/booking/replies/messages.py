"""The topic `patient-replies`: answers that the notifier understood. Who may write it is whose commands these are."""

from collections.abc import Sequence

from aiokafka import ConsumerRecord

from booking.appointments.domain.state import Result
from booking.appointments.store import PostgresStore
from booking.replies.handle import take_replies
from chassis.delivery.consumer import Applied
from chassis.postgres.database import Connection
from chassis.process.clock import Clock
from chassis.process.errors import RejectedEvent
from schemas.replies import PATIENT_REPLIED, PatientReplied
from schemas.wire import decode_typed


def decode(record: ConsumerRecord[bytes, bytes]) -> PatientReplied:
    """Return the answer in a record."""
    body = decode_typed({PATIENT_REPLIED: PatientReplied}, record.headers, record.value)
    assert isinstance(body, PatientReplied)  # noqa: S101  # the only model given
    if record.key != str(body.appointment_id).encode():
        raise RejectedEvent("KEY_MISMATCH", "the record's key is not the appointment's id")
    return body


class PatientReplies:
    """Applies batches of answers."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def apply(self, connection: Connection, replies: Sequence[PatientReplied]) -> Applied:
        """Take a batch in the consumer's transaction; answers about visits nobody knows go to the dead letters."""
        results = await take_replies(PostgresStore(connection), replies, self._clock.now())
        unknown = RejectedEvent("UNKNOWN_APPOINTMENT", "appointment_id: booking knows no such visit")
        return Applied(
            repeat=[place for place, result in enumerate(results) if result is Result.REPEAT],
            stale=[place for place, result in enumerate(results) if result is Result.STALE],
            rejected=[(place, unknown) for place, result in enumerate(results) if result is None],
        )
