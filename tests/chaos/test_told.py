"""The checker of what people were told is tried on seeded faults, and on what is no fault (I16)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.chaos.evidence import Evidence, Message
from tests.chaos.test_invariants import (
    APPOINTMENT,
    CANCELLATION,
    CONFIRMATION,
    NOON,
    OTHER_PATIENT,
    PATIENT,
    message,
    record,
)
from tests.chaos.test_invariants import appointment as version
from tests.chaos.told import i16_what_was_told_last_is_so_or_a_row_says_why_it_was_not as i16

DR, DR_2, MOVED = UUID(int=5), UUID(int=6), UUID(int=7)
LATER = NOON + timedelta(days=1)
TO_DR: dict[str, Any] = {"recipient": "provider", "recipient_id": str(DR)}


def visit(number: int, status: str = "booked", **fields: Any) -> Any:
    """Return a version of the visit, at noon with the first provider unless it says otherwise."""
    made = version(number, number, status)
    said = {"provider_id": str(DR), "starts_at": NOON.isoformat().replace("+00:00", "Z"), **fields}
    return replace(made, value=made.value | said)


def confirmed(*more: Message, versions: tuple[Any, ...] = ()) -> Evidence:
    """Return a booking of which both were told, and what came after it."""
    both = [
        message(CONFIRMATION, "confirmation", "accepted", said_starts_at=NOON),
        message(UUID(int=8), "provider-booked", "accepted", said_starts_at=NOON, **TO_DR),
    ]
    return Evidence(topics={"appointments": [visit(1), *versions], "patients": []}, messages=[*both, *more])


def to_dr(kind: str, minute: int = 1, **fields: Any) -> Message:
    return message(UUID(int=9), kind, "accepted", minute, **{**TO_DR, **fields})


ENDED = (visit(2, "cancelled"),)
MOVES = (visit(2, starts_at=LATER.isoformat()),)
GIVEN = (visit(2, patient_id=str(OTHER_PATIENT)),)
TAKEN = message(CANCELLATION, "cancelled", "accepted", 1)
BENS = message(MOVED, "confirmation", "accepted", 1, recipient_id=str(OTHER_PATIENT), said_starts_at=NOON)


@pytest.mark.parametrize(
    "evidence",
    [
        pytest.param(confirmed(), id="nothing more"),
        pytest.param(confirmed(TAKEN, to_dr("provider-cancelled"), versions=ENDED), id="cancelled"),
        pytest.param(confirmed(versions=(visit(2, "fulfilled"),)), id="begun"),
        pytest.param(
            confirmed(
                message(MOVED, "moved", "unknown", 1, said_starts_at=LATER),
                to_dr("provider-moved", said_starts_at=LATER), versions=MOVES,
            ),
            id="moved, perhaps told",
        ),
        pytest.param(
            confirmed(
                message(MOVED, "reminder", "accepted", 1, said_starts_at=LATER),
                to_dr("provider-moved", said_starts_at=LATER), versions=MOVES,
            ),
            id="told of the move by a reminder",
        ),
        pytest.param(
            confirmed(
                message(MOVED, "moved", "skipped", 1, reason="NO_CONTACT"),
                to_dr("provider-moved", said_starts_at=LATER), versions=MOVES,
            ),
            id="moved, and a list says that he has no contact",
        ),
        pytest.param(confirmed(TAKEN, BENS, versions=GIVEN), id="given to another patient"),
        pytest.param(
            confirmed(to_dr("provider-cancelled"), replace(TAKEN, kind="moved", replaces=str(APPOINTMENT),
                      appointment_id=str(MOVED)), versions=ENDED),
            id="another in its place",
        ),
    ],
)  # fmt: skip
def test_what_is_so_or_is_on_a_list_is_no_violation(evidence: Evidence) -> None:
    assert list(i16(evidence)) == []


def test_a_patient_merged_into_another_is_the_same_one() -> None:
    evidence = confirmed(versions=GIVEN)
    assert len(list(i16(evidence))) == 2
    merged = record(0, PATIENT, "patient.changed.v1", "m", merged_into=OTHER_PATIENT)
    evidence.topics["patients"].append(merged)

    assert list(i16(evidence)) == []


def without(evidence: Evidence, notification: UUID) -> Evidence:
    evidence.messages = [one for one in evidence.messages if one.notification_id != str(notification)]
    return evidence


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(lambda: without(confirmed(), CONFIRMATION), id="never told"),
        pytest.param(lambda: without(confirmed(), UUID(int=8)), id="a provider never told"),
        pytest.param(lambda: confirmed(to_dr("provider-cancelled"), versions=ENDED), id="not told of the end"),
        pytest.param(lambda: confirmed(TAKEN, versions=ENDED), id="a provider not told of the end"),
        pytest.param(lambda: confirmed(TAKEN), id="told of an end that is none"),
        pytest.param(
            lambda: confirmed(to_dr("provider-moved", said_starts_at=LATER), versions=MOVES), id="not told of the move"
        ),
        pytest.param(
            lambda: confirmed(
                to_dr("provider-moved", said_starts_at=LATER),
                message(MOVED, "moved", "skipped", 1, reason="ALREADY_TOLD"), versions=MOVES,
            ),
            id="said to know what he does not",
        ),
        pytest.param(
            lambda: confirmed(
                to_dr("provider-moved", said_starts_at=LATER),
                message(MOVED, "moved", "accepted", 1, said_starts_at=LATER),
                message(UUID(int=10), "reminder", "accepted", 2, said_starts_at=NOON), versions=MOVES,
            ),
            id="told the old time after the new one",
        ),
        pytest.param(lambda: confirmed(BENS, versions=GIVEN), id="the former patient not told"),
        pytest.param(lambda: confirmed(TAKEN, versions=GIVEN), id="the new patient not told"),
        pytest.param(lambda: confirmed(versions=(visit(2, provider_id=str(DR_2)),)), id="neither provider told"),
        pytest.param(lambda: confirmed(versions=(visit(2, clinic_id="NORTH"),)), id="not told of another clinic"),
        pytest.param(
            lambda: confirmed(
                message(MOVED, "cancelled", "skipped", -1, reason="NO_CONTACT"), to_dr("provider-cancelled"),
                versions=ENDED,
            ),
            id="excused by what was before he was told",
        ),
    ],
)  # fmt: skip
def test_each_mutant_is_reported(seed: Callable[[], Evidence]) -> None:
    assert list(i16(seed()))
