"""Reading a batch of records that aiokafka refuses as a whole, because the name of one header is not UTF-8.

Kafka says that names are text and checks it nowhere. Here such a name is read with its bytes as lone surrogates (PEP
383), so that its record alone is refused later, and those beside it are not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, SupportsIndex, overload

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.util import decode_varint_py

from chassis.kafka import broker, unpacked_size
from chassis.kafka.fetch import Record, Unread
from chassis.kafka.halt import Halt
from chassis.process.errors import RejectedEvent

_MAGIC_AT, _HEAD = 16, 12
"""Of a batch: where its version is, and how long offset and length are that its length does not count."""


@dataclass(frozen=True, slots=True)
class Salvaged:
    """Records that could be read after all, and the offset after their batch."""

    records: list[Record]
    end: int


async def again(consumer: broker.Consumer, tp: TopicPartition, unread: Unread, held: int) -> Salvaged | Halt:
    """Return what can be read where aiokafka could not, or why nothing can.

    Args:
        consumer: Its connections are used; nothing is sought.
        held: The first offset not taken, for an answer that names none.
    """
    if unread.offset is None:
        return Halt(held, f"Kafka does not give it: {type(unread.error).__name__}")
    try:
        raw = await broker.raw_batch(consumer, tp, unread.offset)
    except RejectedEvent as refusal:
        return Halt(unread.offset, refusal.message)
    end, records, why = end_of(raw), list[Record](), type(unread.error).__name__
    try:
        records = read(raw, tp, unread.offset)
    except RejectedEvent as refusal:
        why = refusal.message
    except Exception:  # noqa: BLE001, S110  # what anybody wrote, read by an unpacker of anybody's
        pass
    if records and end is not None:
        return Salvaged(records, end)
    return Halt(unread.offset, f"the batch of records that begins here cannot be read: {why}", end)


def end_of(raw: bytes) -> int | None:
    """Return the offset after the first batch in `raw`, which nothing need be unpacked for; None if it is no batch."""
    try:
        return int(_batch(raw).next_offset)
    except Exception:  # noqa: BLE001  # bytes of anybody's
        return None


def read(raw: bytes, tp: TopicPartition, offset: int) -> list[ConsumerRecord[bytes, bytes]]:
    """Return the records from `offset` on of the first batch in `raw`."""
    batch = _batch(raw)
    if batch.compression_type == unpacked_size.NO_CODEC:
        raise RejectedEvent("TOO_LARGE", f"unpacked it is larger than {unpacked_size.MOST_BYTES >> 20} MiB")
    if not batch.validate_crc():
        raise CorruptRecordException(f"Invalid CRC - {tp}")
    if batch.is_control_batch:
        raise CorruptRecordException(f"Control batch - {tp}")
    batch._maybe_uncompress()
    batch._buffer = _Lenient(batch._buffer)
    records = (batch._read_msg(decode_varint_py) for _ in range(batch._num_records))
    return [_record(tp, record) for record in _all(records, batch) if record.offset >= offset]


def _batch(raw: bytes) -> Any:
    if len(raw) <= _MAGIC_AT or raw[_MAGIC_AT] != 2:
        raise CorruptRecordException("not a batch of version 2")
    return _DefaultRecordBatchPy(raw[: _HEAD + int.from_bytes(raw[8:_HEAD])])


def _all(records: Iterable[Any], batch: Any) -> list[Any]:
    found = list(records)
    if batch._pos != len(batch._buffer):
        raise CorruptRecordException("bytes after the last record")
    return found


def _record(tp: TopicPartition, record: Any) -> ConsumerRecord[bytes, bytes]:
    sizes = (-1 if content is None else len(content) for content in (record.key, record.value))
    return ConsumerRecord(
        *tp, record.offset, record.timestamp, record.timestamp_type, record.key, record.value, None, *sizes,
        tuple(record.headers),
    )  # fmt: skip


class _Lenient(bytearray):
    """Bytes whose slices decode whatever they hold."""

    @overload
    def __getitem__(self, place: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> "_Lenient": ...
    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        return _Lenient(found) if isinstance(place, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "surrogateescape") -> str:
        return super().decode(encoding, errors)
