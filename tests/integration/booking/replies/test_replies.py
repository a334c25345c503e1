"""`patient-replies` on real Kafka: what patients asked for by answering a message, each once (B11, G8)."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer

from schemas import wire
from schemas.envelope import Envelope
from schemas.notifications import Channel
from schemas.replies import PATIENT_REPLIED, PatientReplied, ReplyAnswer
from schemas.topics import APPOINTMENTS, PATIENT_REPLIES
from tests.support.booking.door import OPERATOR_KEY, Door, booking, published, running
from tests.support.installation import Installation
from tests.support.waiting import until

pytestmark = pytest.mark.integration
SOON = datetime(2027, 3, 11, 9, tzinfo=UTC)
"""A day before the visit of `booking`."""


async def send(installation: Installation, *records: tuple[str, bytes]) -> None:
    """Write (key, value) records to `patient-replies`."""
    producer = AIOKafkaProducer(bootstrap_servers=installation.bootstrap)
    await producer.start()
    try:
        for key, value in records:
            headers = list(Envelope(str(uuid4()), PATIENT_REPLIED, "attend/notifier", key, SOON).headers())
            name = installation.topic_prefix + PATIENT_REPLIES.name
            await producer.send_and_wait(name, value, key.encode(), headers=headers)
    finally:
        await producer.stop()


def record(visit: UUID, patient: UUID, answer: ReplyAnswer, **changes: Any) -> tuple[str, bytes]:
    """Return the record of an answer."""
    said = {
        "reply_id": uuid4(), "appointment_id": visit, "patient_id": patient, "clinic_id": "EYE", "schedule_gen": 1,
        "answer": answer, "channel": Channel.SMS, "at": SOON, **changes,
    }  # fmt: skip
    return str(visit), wire.encode(PatientReplied.model_validate(said))


async def test_b11_answers_become_versions_once_and_what_cannot_be_is_a_dead_letter(
    served: Door, installation: Installation
) -> None:
    visit = UUID((await served.post(booking("e1")))["appointment_id"])
    patient = await served.pool.fetchval("SELECT patient_id FROM appointment WHERE appointment_id = $1", visit)
    confirm = record(visit, patient, ReplyAnswer.CONFIRM, reply_id=uuid4())
    cancel_id = uuid4()
    await send(
        installation,
        confirm,
        confirm,
        record(visit, patient, ReplyAnswer.CANCEL, schedule_gen=2),
        record(visit, uuid4(), ReplyAnswer.CANCEL),
        (str(visit), b"{}"),
        (str(uuid4()), confirm[1]),
        record(uuid4(), patient, ReplyAnswer.CANCEL),
        record(visit, patient, ReplyAnswer.CANCEL, reply_id=cancel_id),
        record(visit, patient, ReplyAnswer.CONFIRM),
    )
    async with running(served):

        async def all_taken() -> bool:
            letters = await served.pool.fetchval("SELECT count(*) FROM dead_letter")
            taken = await served.pool.fetchval("SELECT count(*) FROM ingress WHERE client = 'patient-replies'")
            return (letters, taken) == (3, 5)

        await until(all_taken)
        await until(served.service.relays[0].idle)

    events = [body for _, body in await published(installation, APPOINTMENTS)]
    assert [(one["version"], one["status"], one["confirmed"]) for one in events] == [
        (1, "booked", False),
        (2, "booked", True),
        (3, "cancelled", True),
    ]
    assert events[2]["caused_by"] == f"patient-reply/{cancel_id}"
    assert events[2]["reason"] == "cancelled by the patient's reply"
    codes = await served.pool.fetch("SELECT code FROM dead_letter ORDER BY code")
    assert [row["code"] for row in codes] == ["INVALID", "KEY_MISMATCH", "UNKNOWN_APPOINTMENT"]
    asked = await served.ask("GET", f"/v1/inbound/{cancel_id}", key=OPERATOR_KEY)
    assert (asked.json()["result"], asked.json()["version"]) == ("applied", 3)
