"""Messages of HL7 v2 as records of a topic: the key is the visit's name, or its bare number (design §2)."""

from typing import Any, cast

import pytest
from aiokafka import ConsumerRecord

from booking.formats.messages import ReadRecord, decode_of
from booking.values.refusals import Refused
from booking.wiring import FORMATS
from chassis.process.clock import RealClock
from tests.support.booking.builders import LOCAL
from tests.support.booking.hl7 import siu

HEADERS = (("content-type", b"application/hl7-v2"),)


def read(key: bytes | None, value: bytes) -> ReadRecord:
    record: dict[str, Any] = {
        "topic": "t", "partition": 0, "offset": 1, "timestamp": 1_800_000_000_000, "timestamp_type": 0, "key": key,
        "value": value, "checksum": None, "serialized_key_size": 0, "serialized_value_size": 0, "headers": HEADERS,
    }  # fmt: skip
    return decode_of("local", FORMATS, RealClock())(cast("Any", ConsumerRecord(**record))).again(LOCAL)


@pytest.mark.parametrize("key", [b"filler|F1", b"F1", b"placer|P1", b"P1"])
def test_a_record_is_under_a_name_of_its_visit_or_the_bare_number(key: bytes) -> None:
    found = read(key, siu())
    assert not isinstance(found.command, Refused)
    assert (found.command.appointment, found.event_id) == ("filler|F1", found.command.key)


@pytest.mark.parametrize("key", [b"F2", b"filler", b""])
def test_any_other_key_is_refused(key: bytes) -> None:
    found = read(key, siu())
    assert isinstance(found.command, Refused)
    assert found.command.code == "KEY_MISMATCH"
    assert found.event_id is not None
    assert found.event_id.startswith("1:")


def test_a_batch_is_no_record() -> None:
    found = read(None, siu() + siu(number="2"))
    assert isinstance(found.command, Refused)
    assert found.command.code == "WRONG_TYPE"
