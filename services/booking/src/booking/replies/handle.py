"""What booking does about patients' answers, which the notifier has understood (B11); in the batch's transaction."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Protocol
from uuid import UUID

import structlog

from booking.appointments.domain.known import RecordedEvent
from booking.appointments.domain.state import AppointmentState, Result
from booking.appointments.ports import VersionStore
from booking.replies.domain import Replied, decide
from chassis.postgres.after_commit import after_commit
from schemas.replies import PatientReplied
from schemas.wire import encode

log: structlog.stdlib.BoundLogger = structlog.get_logger()

CLIENT = "patient-replies"
"""Under which answers are kept beside the events of API clients; their keys are ids of replies."""

IDS_PER_LINE = 20


class ReplyStore(VersionStore, Protocol):
    """What is needed of `ports.Store`."""

    async def recorded_events(self, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], RecordedEvent]:
        """Return the commands taken before, by (client, key)."""

    async def remember(self, recorded: Mapping[tuple[str, str], RecordedEvent]) -> None:
        """Keep the commands with their answers."""


async def take_replies(store: ReplyStore, replies: Sequence[PatientReplied], now: datetime) -> list[Result | None]:
    """Take a batch of answers, those of one visit in the order given; the same again is a repeat without effect.

    Returns:
        For each what became of it; None if booking knows no such visit.
    """
    held = dict(await store.lock({reply.appointment_id for reply in replies}))
    known = await store.recorded_events({_key(reply) for reply in replies})
    versions: list[tuple[UUID, AppointmentState]] = []
    recorded: dict[tuple[str, str], RecordedEvent] = {}
    results: list[Result | None] = []
    for reply in replies:
        visit, again = held.get(reply.appointment_id), _key(reply) in known or _key(reply) in recorded
        if visit is None or again:
            results.append(Result.REPEAT if again else None)
            continue
        decided = _decided(visit, reply, now)
        if decided.result is Result.APPLIED:
            versions.append((reply.appointment_id, decided.state))
            held[reply.appointment_id] = decided.state
        digest = sha256(encode(reply)).digest()
        recorded[_key(reply)] = RecordedEvent(digest, decided.result, reply.appointment_id, decided.state.version)
        results.append(decided.result)
    if versions:
        clinics = await store.clinics({state.clinic_id or "" for _, state in versions})
        await store.write_appointments(dict(versions))
        await store.publish_versions(versions, clinics)
    if recorded:
        await store.remember(recorded)
    _log_replies(replies, results)
    return results


def _decided(visit: AppointmentState, reply: PatientReplied, now: datetime) -> Replied:
    decided = decide(visit, reply)
    return decided._replace(state=decided.state._replace(ingest_time=now)) if decided.state is not visit else decided


def _key(reply: PatientReplied) -> tuple[str, str]:
    return CLIENT, str(reply.reply_id)


def _log_replies(replies: Sequence[PatientReplied], results: Sequence[Result | None]) -> None:
    after_commit(
        log.info,
        "patient_replies.taken",
        count=len(replies),
        applied=results.count(Result.APPLIED),
        stale=results.count(Result.STALE),
        unknown=results.count(None),
        appointment_ids=[str(reply.appointment_id) for reply in replies[:IDS_PER_LINE]],
    )
