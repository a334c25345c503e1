"""Ids downstream are functions of what they identify; these values may never change (design §2)."""

from uuid import UUID

from schemas import wire

APPOINTMENT = UUID("01936c1e-7a40-7c31-9d52-3f0a6f4b2c11")
PATIENT = UUID("01936c1d-02b8-7f44-8a6e-91d2c5e07a35")


def test_the_namespace_is_pinned() -> None:
    assert UUID("c00aaba0-9891-5d9d-90ee-bd83ee77e5f7") == wire.NAMESPACE


def test_each_id_function_is_pinned() -> None:
    assert wire.event_id(APPOINTMENT, 3) == UUID("c0f1c211-559e-5548-8f4c-2eece0661e22")
    assert wire.provider_id("st-marys", "DR-204") == UUID("e4bd83ee-efa5-5bc1-89cf-4036010c930b")
    assert wire.sub_file_id(PATIENT, "CARDIO", 1) == UUID("6a0552cd-3a21-5f14-9b6a-9654d03a00d7")
    assert wire.reminder_id(APPOINTMENT, 2, "24h") == UUID("ae588c17-a72a-57c2-8fe7-5e8f739a2708")
    assert wire.reminder_id(APPOINTMENT, 2, "2h") == UUID("d6f1760c-4585-59a9-8faa-e5e9af71cda1")


def test_the_id_of_a_notification_is_pinned_for_both_kinds_of_cause() -> None:
    reminder = wire.reminder_id(APPOINTMENT, 2, "24h")
    of_reminder = wire.notification_id((reminder,), "patient", "reminder")
    of_change = wire.notification_id((APPOINTMENT, 1, "booked"), "provider", "provider-booked")
    assert of_reminder == UUID("36a7fcf2-a5fa-5386-8c6f-dd43cc61a338")
    assert of_change == UUID("bb812280-5882-59e1-8b9c-73e4630715ef")


def test_a_derived_id_is_over_json_so_that_parts_never_run_together() -> None:
    assert wire.derived_id("a,b", "c") != wire.derived_id("a", "b,c")
    assert wire.derived_id("1") != wire.derived_id(1)
    assert wire.derived_id('é"', -5) == UUID("bf6f7d6c-17c5-5a79-88ba-987d6932fe59")
