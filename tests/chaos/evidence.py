"""What a run leaves behind, gathered from outside: the topics, and the sinks' own acceptance log."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from schemas.envelope import event_type
from schemas.topics import (
    APPOINTMENTS,
    BOOKINGS_INBOUND,
    CLINICS,
    NOTIFICATIONS,
    PATIENTS,
    PROVIDERS,
    REMINDERS,
    SUBFILES,
    Topic,
)
from tests.support.topics import read_topic

TOPICS = (APPOINTMENTS, SUBFILES, REMINDERS, NOTIFICATIONS, PATIENTS, PROVIDERS, CLINICS, BOOKINGS_INBOUND)
WITH_POSITIONS = ("booking", "records", "reminders", "notifier")


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a topic, read committed."""

    partition: int
    offset: int
    key: str
    id: str
    type: str
    value: dict[str, Any]
    raw: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """One call to a carrier as the ledger has it.

    Attributes:
        called_at: Domain time at which it was authorised.
        not_after: Its deadline, domain time.
        outcome: What the carrier answered; None: nobody knows.
        address_key: The key of the address called, in hex.
    """

    attempt_id: str
    notification_id: str
    ordinal: int
    appointment_id: str
    clinic_id: str | None
    kind: str
    channel: str
    schedule_gen: int
    gated_version: int
    called_at: datetime
    not_after: datetime | None
    outcome: str | None
    delivery_state: str
    address_key: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message as the ledger has it in the end.

    Attributes:
        recipient: `patient` or `provider`; `recipient_id`: which one, None: whose visit it is.
        said_at: Domain time at which it told, or may have told, that the visit stands at `said_starts_at`, or not.
        replaces: Of this visit it told that it stands no more.
    """

    notification_id: str
    appointment_id: str | None
    replaces: str | None
    recipient: str
    recipient_id: str | None
    kind: str
    state: str
    reason: str | None
    clinic_id: str | None
    said_starts_at: datetime | None
    said_at: datetime
    changed_at: datetime
    accepted: bool

    def tells(self, appointment: str, kinds: set[str]) -> bool:
        """Say whether it told of this visit, or may have: accepted, unknown, or told by whoever kept it before."""
        may_have = self.accepted or self.state in {"sending", "unknown"} or self.reason == "BACKFILL"
        return may_have and self.kind in kinds and appointment in {self.appointment_id, self.replaces}


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter of a consumer."""

    consumer: str
    topic: str
    partition: int
    offset: int
    value: bytes
    code: str


@dataclass
class Evidence:
    """Everything that the invariants are proved from.

    Attributes:
        answered: Appointment id → highest version that booking answered 2xx with.
        topics: The records of each topic, in order of partition and offset.
        positions: (service, topic, partition) → (next offset of its consumer, offset after the last record).
        counts: (service, topic, partition) → what became of the records, as counted with their effect: applied, repeat,
            stale and dead, in sum; and how many records there are before that position.
        now: The domain time at which the run was judged.
        accepted: The carriers' acceptance log, each message with the `notification_id` that its reference leads to.
        calls: Every call in the ledger.
        messages: Every message in it.
        opted_out: (channel, key of the address in hex, category) → since when.
        doubles_preferred: Clinics that prefer a possible duplicate to a missed message.
        letters: Every dead letter.
        poison: (topic, partition, offset) → bytes of each record that was planted to be refused.
    """

    answered: dict[str, int] = field(default_factory=dict)
    topics: dict[str, list[Record]] = field(default_factory=lambda: {topic.name: [] for topic in TOPICS})
    positions: dict[tuple[str, str, int], tuple[int, int]] = field(default_factory=dict)
    counts: dict[tuple[str, str, int], tuple[int, int]] = field(default_factory=dict)
    now: datetime | None = None
    accepted: list[dict[str, Any]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    opted_out: dict[tuple[str, str, str], datetime] = field(default_factory=dict)
    doubles_preferred: set[str] = field(default_factory=set)
    letters: list[Letter] = field(default_factory=list)
    poison: dict[tuple[str, int, int], bytes] = field(default_factory=dict)


async def read_topics(bootstrap: str, prefix: str = "") -> dict[str, list[Record]]:
    """Return every committed record of the topics."""
    return {topic.name: await _read(bootstrap, prefix, topic) for topic in TOPICS}


async def _read(bootstrap: str, prefix: str, topic: Topic) -> list[Record]:
    log = await read_topic(bootstrap, prefix + topic.name, topic.partitions)
    return [_record(record.partition, record) for record in log]


def _record(partition: int, record: Any) -> Record:
    headers = tuple((name, value) for name, value in record.headers)
    return Record(
        partition=partition,
        offset=record.offset,
        key=(record.key or b"").decode(),
        id=dict(headers).get("ce_id", b"").decode(),
        type=event_type(headers) or "",
        value=orjson.loads(record.value or b"{}"),
        raw=record.value or b"",
    )


async def read_positions(
    database_url: str, topics: dict[str, list[Record]], prefix: str = ""
) -> dict[tuple[str, str, int], tuple[int, int]]:
    """Return, for each consumer's partition, where it stands in PostgreSQL and where the last record ends.

    Not the end offset: a transaction's commit marker comes after its records and is never delivered.
    """
    ends = {(prefix + name, r.partition): r.offset + 1 for name, records in topics.items() for r in records}
    connection = await asyncpg.connect(database_url)
    try:
        found = {}
        for service in WITH_POSITIONS:
            query = f"SELECT topic, partition, next_offset FROM {service}.consumer_offset"  # noqa: S608  # constants
            for row in await connection.fetch(query):
                end = ends.get((row["topic"], row["partition"]), 0)
                found[service, row["topic"], row["partition"]] = row["next_offset"], end
        return found
    finally:
        await connection.close()


async def read_counts(
    database_url: str, topics: dict[str, list[Record]], prefix: str = ""
) -> dict[tuple[str, str, int], tuple[int, int]]:
    """Return, for each consumer's partition, how many records it counted, and how many there are before its position.

    Compacted topics are left out: what was read of them may be gone.
    """
    whole = {prefix + topic.name: topics[topic.name] for topic in TOPICS if topic.cleanup == "delete"}
    query = "SELECT topic, partition, next_offset, applied + repeat + stale + dead AS counted FROM {}.consumer_offset"
    connection = await asyncpg.connect(database_url)
    try:
        return {
            (service, row["topic"], row["partition"]): (
                row["counted"],
                sum(r.partition == row["partition"] and r.offset < row["next_offset"] for r in whole[row["topic"]]),
            )
            for service in WITH_POSITIONS
            for row in await connection.fetch(query.format(service))
            if row["topic"] in whole
        }
    finally:
        await connection.close()


_CALLS = """
SELECT made.attempt_id::text, made.notification_id::text, made.ordinal, one.appointment_id::text, one.clinic_id,
       one.kind, made.channel, one.schedule_gen, made.gated_version, made.called_at, one.not_after, made.outcome,
       made.delivery_state, encode(made.address_key, 'hex') AS address_key
FROM notifier.attempt AS made JOIN notifier.notification AS one USING (notification_id)"""
_MESSAGES = """
SELECT notification_id::text, appointment_id::text, replaces::text, recipient, recipient_id::text, kind, state, reason,
       clinic_id, said_starts_at, coalesce(said_at, accepted_at, changed_at) AS said_at, changed_at,
       accepted_at IS NOT NULL AS accepted
FROM notifier.notification WHERE appointment_id IS NOT NULL"""
_OPT_OUTS = "SELECT channel, encode(address_key, 'hex'), category, since FROM notifier.opt_out"


async def read_ledger(database_url: str, evidence: Evidence) -> None:
    """Add every message, call, opt-out and dead letter, and which clinics prefer doubles."""
    connection = await asyncpg.connect(database_url)
    try:
        evidence.calls = [Call(**dict(row)) for row in await connection.fetch(_CALLS)]
        evidence.messages = [Message(**dict(row)) for row in await connection.fetch(_MESSAGES)]
        evidence.opted_out = {(row[0], row[1], row[2]): row[3] for row in await connection.fetch(_OPT_OUTS)}
        doubling = await connection.fetch("SELECT clinic_id FROM notifier.clinic_sending WHERE double_over_miss")
        evidence.doubles_preferred = {row[0] for row in doubling}
        for service in WITH_POSITIONS:
            columns = 'topic, partition, "offset", value, code'
            rows = await connection.fetch(f"SELECT {columns} FROM {service}.dead_letter")  # noqa: S608  # constants
            evidence.letters += [Letter(service, *row) for row in rows]
    finally:
        await connection.close()
