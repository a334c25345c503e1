"""From a patient's answer to the event of the topic `patient-replies`, by which booking does what he asks for (B11)."""

from datetime import datetime

from chassis.outbox.writer import Outgoing
from notifier.ledger.messages import SOURCE
from notifier.replies.handle import Reply
from schemas.envelope import Envelope
from schemas.replies import PATIENT_REPLIED, PatientReplied, ReplyAnswer
from schemas.topics import PATIENT_REPLIES
from schemas.wire import encode


def patient_replied(reply: Reply, now: datetime) -> Outgoing:
    """Return the order; the same answer always has the same id, so that booking takes it once."""
    visit, reply_id = reply.visit, reply.incoming.reply_id
    if visit is None:
        raise ValueError("only an answer about one visit is an order")
    body = PatientReplied(
        reply_id=reply_id,
        appointment_id=visit.appointment_id,
        patient_id=visit.patient_id,
        clinic_id=visit.clinic_id,
        schedule_gen=visit.schedule_gen,
        answer=ReplyAnswer(reply.answer.meaning.value),
        channel=reply.incoming.channel,
        at=now,
    )
    envelope = Envelope(str(reply_id), PATIENT_REPLIED, SOURCE, str(visit.appointment_id), now)
    return Outgoing(PATIENT_REPLIES, str(visit.appointment_id), envelope, encode(body))
