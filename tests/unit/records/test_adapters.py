"""What records reads from bytes, and what it writes."""

from collections.abc import Sequence

import pytest
from aiokafka import ConsumerRecord

from records.adapters import decoders
from records.adapters.events import sub_file_changed
from records.domain import Erased, complete, settle
from schemas import wire
from schemas.appointments import APPOINTMENT_CHANGED, Status
from schemas.people import PATIENT_CHANGED, PROVIDER_CHANGED
from schemas.subfiles import SUB_FILE_CHANGED, SubFile, SubFileStatus
from tests.support.records.builders import NOW, id_of, seen

VISIT, ANN = id_of("visit"), id_of("ann")
BOOKED = (
    f'{{"appointment_id":"{VISIT}","version":2,"status":"booked","patient_id":"{ANN}","clinic_id":"EYE",'
    '"zone":"Europe/London","schedule_gen":1,"schedule_set_at":"2026-11-24T09:00:00Z","event_time":"2026-11-24T09:00:00Z",'
    '"policy":{"policy_id":"p","rules":[],"window":{"opens":"07:00:00","closes":"21:00:00"}},'
    '"ingest_time":"2026-11-24T09:00:00Z","source":"test"}'
)


def record(value: str | None, kind: str | None, key: str = VISIT) -> ConsumerRecord:
    headers: Sequence[tuple[str, bytes]] = [("ce_id", b"the event")]
    if kind is not None:
        headers = [*headers, ("ce_type", kind.encode())]
    return ConsumerRecord("t", 3, 7, 0, 0, key.encode(), value and value.encode(), None, 0, 0, headers)


def test_an_appointment_is_read_as_far_as_records_decides_by_it() -> None:
    read = decoders.appointment(record(BOOKED, APPOINTMENT_CHANGED))

    assert (read.appointment_id, read.version, read.status, read.patient_id, read.clinic_id) == (
        VISIT,
        2,
        Status.BOOKED,
        ANN,
        "EYE",
    )
    assert read.provider_id is None


def test_an_id_in_another_spelling_becomes_canonical() -> None:
    assert decoders.appointment(record(BOOKED.replace(ANN, ANN.upper()), APPOINTMENT_CHANGED)).patient_id == ANN


@pytest.mark.parametrize(
    ("value", "kind", "code"),
    [
        (None, APPOINTMENT_CHANGED, "NO_VALUE"),
        ("{", APPOINTMENT_CHANGED, "INVALID"),
        ("[]", APPOINTMENT_CHANGED, "INVALID"),
        (BOOKED.replace('"EYE"', '"e"'), APPOINTMENT_CHANGED, "INVALID"),
        (BOOKED.replace('"version":2', '"version":0'), APPOINTMENT_CHANGED, "INVALID"),
        (BOOKED.replace('"booked"', '"lost"'), APPOINTMENT_CHANGED, "INVALID"),
        (BOOKED, "appointment.changed.v2", "UNKNOWN_VERSION"),
        (BOOKED, "weather.changed.v1", "UNKNOWN_TYPE"),
        (BOOKED, None, "UNKNOWN_TYPE"),
    ],
)
def test_g8_what_cannot_be_read_has_its_code(value: str | None, kind: str | None, code: str) -> None:
    with pytest.raises(wire.Undecodable) as refused:
        decoders.appointment(record(value, kind))

    assert refused.value.code == code


def test_g9_a_patient_is_read_without_anything_personal() -> None:
    value = f'{{"patient_id":"{ANN}","version":1,"main_file":"FILE-2026-000007","given_name":"Ann"}}'

    read = decoders.patient(record(value, PATIENT_CHANGED, ANN))

    assert "Ann" not in repr(read)
    assert not isinstance(read, Erased)
    assert (read.main_file, read.event_id) == ("FILE-2026-000007", "the event")


@pytest.mark.parametrize("read", [decoders.patient, decoders.provider])
def test_a_tombstone_names_its_entity_by_the_key(read: object) -> None:
    assert callable(read)
    assert read(record(None, None, ANN)) == Erased(ANN)
    with pytest.raises(wire.Undecodable):
        read(record(None, None, "no id"))


def test_d2_a_main_file_of_another_pattern_is_refused() -> None:
    value = f'{{"patient_id":"{ANN}","version":1,"main_file":"FILE-2026-7"}}'

    with pytest.raises(wire.Undecodable, match="main_file"):
        decoders.patient(record(value, PATIENT_CHANGED))


def test_a_provider_is_read_with_its_version() -> None:
    read = decoders.provider(record(f'{{"provider_id":"{ANN}","version":4,"name":"Dr Who"}}', PROVIDER_CHANGED))

    assert not isinstance(read, Erased)
    assert read.version == 4


def test_the_same_version_of_a_file_is_always_the_same_event() -> None:
    file = settle((ANN, "EYE"), [seen()], None, "FILE-2026-000007", frozenset())
    assert file is not None

    event, again = sub_file_changed(file, NOW), sub_file_changed(file, NOW)

    assert event == again
    assert (event.key, event.envelope.type, event.envelope.subject) == (file.sub_file_id, SUB_FILE_CHANGED, event.key)
    body = wire.decode(SubFile, event.value)
    assert (str(body.sub_file_id), body.number, body.reason) == (file.sub_file_id, "FILE-2026-000007-EYE-01", None)


def test_d5_a_parked_file_says_why_and_its_completion_is_another_event() -> None:
    file = settle((ANN, "EYE"), [seen()], None, None, frozenset())
    assert file is not None

    parked, completed = sub_file_changed(file, NOW), sub_file_changed(complete(file, "FILE-2026-000007", "x"), NOW)

    body = wire.decode(SubFile, parked.value)
    assert (body.status, body.number, body.reason) == (SubFileStatus.PARKED, None, "NO_MAIN_FILE")
    assert parked.envelope.id != completed.envelope.id
