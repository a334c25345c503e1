"""Upstream's own last word in the rows of appointments, also of those that the release before wrote (D55)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from booking.appointments.domain.statuses import CANCELLED_BY_PATIENT
from booking.no_shows.domain import NoShowRule
from booking.no_shows.job import NoShowCheck
from booking.replies.messages import PatientReplies
from chassis.process.clock import StillClock
from chassis.process.metrics import Metrics
from chassis.time_slots.metrics import SlotMetrics
from chassis.time_slots.runner import Runner
from schemas.notifications import Channel
from schemas.replies import PatientReplied, ReplyAnswer
from tests.support.booking.door import Door, booking

SOON = datetime(2027, 3, 11, 9, tzinfo=UTC)
"""A day before the visit of `booking`."""
KEPT = {"code": "KEPT_PATIENT_REPLY", "place": "appointment.status"}


async def answered(door: Door, answer: ReplyAnswer) -> None:
    """Let the patient of the only visit answer."""
    (row,) = await door.pool.fetch("SELECT appointment_id, patient_id, schedule_gen FROM appointment")
    reply = PatientReplied(reply_id=uuid4(), clinic_id="EYE", answer=answer, channel=Channel.SMS, at=SOON, **row)
    async with door.pool.acquire() as connection, connection.transaction():
        applied = await PatientReplies(StillClock(SOON)).apply(connection, [reply])
    assert not applied.stale


async def row(door: Door) -> tuple[Any, ...]:
    """Return the row of the only visit: version, status, confirmed, and what upstream said of it."""
    (found,) = await door.pool.fetch(
        "SELECT version, status, confirmed, said_status, said_confirmed, said_reason, said_version FROM appointment"
    )
    return tuple(found)


async def written_by_the_release_before(door: Door, **changes: Any) -> None:
    """Change the row of the only visit as a release does that knows nothing of what upstream said."""
    names = ", ".join(f"{name} = ${number}" for number, name in enumerate(changes, 1))
    await door.pool.execute(f"UPDATE appointment SET version = version + 1, {names}", *changes.values())  # noqa: S608


def warnings(answer: dict[str, Any]) -> list[dict[str, str]]:
    said = [one for one in answer["warnings"] if not one["code"].startswith("UNKNOWN_P")]  # nobody entered the doctors
    return [{name: one[name] for name in ("code", "place")} for one in said]


async def test_upstreams_own_word_is_kept_beside_the_answer_until_it_changes(door: Door) -> None:
    await door.post({**booking(), "reason": "control"})
    assert await row(door) == (1, "booked", False, None, None, None, 1)

    await answered(door, ReplyAnswer.CONFIRM)
    assert await row(door) == (2, "booked", True, None, False, None, 2)
    await answered(door, ReplyAnswer.CANCEL)
    assert await row(door) == (3, "cancelled", True, "booked", False, None, 3)

    kept = await door.post(booking("e2", provider={"id": "dr-two"}, confirmed=False))
    assert (kept["result"], warnings(kept)) == ("applied", [KEPT, {**KEPT, "place": "appointment.confirmed"}])
    assert await row(door) == (4, "cancelled", True, "booked", False, None, 4)
    (again,) = (await door.post([booking("e2", provider={"id": "dr-two"}, confirmed=False)]))["results"]
    assert (again["result"], warnings(again)) == ("repeat", warnings(kept))

    both = await door.post(
        [booking("e3", provider={"id": "dr-3"}), booking("e4", provider={"id": "dr-3"}, status="cancelled")]
    )
    assert [one["result"] for one in both["results"]] == ["applied", "repeat"]
    assert await row(door) == (5, "cancelled", True, None, False, None, 5)
    assert (await door.post(booking("e5", provider={"id": "dr-3"})))["result"] == "applied"
    assert await row(door) == (6, "booked", True, None, False, None, 6)


async def test_a_merge_takes_the_word_along(door: Door) -> None:
    await door.put("/v1/patients/kept?source=local", {"given_name": "Ann"})
    await door.post(booking())
    await answered(door, ReplyAnswer.CONFIRM)
    merged = await door.ask("POST", "/v1/patients/ann/merge?source=local", {"into": {"id": "kept"}})
    assert merged.status_code == 200, merged.text

    assert await row(door) == (3, "booked", True, None, False, None, 3)
    await door.post(booking("e2", provider={"id": "dr-two"}, confirmed=False))
    assert await row(door) == (4, "booked", True, None, False, None, 4)


async def test_a_no_show_that_the_job_found_stays_when_upstream_changes_something_else(door: Door) -> None:
    await door.post(booking())
    after = datetime(2027, 3, 12, 12, tzinfo=UTC)
    await Runner(door.pool, StillClock(after), NoShowCheck(NoShowRule()), SlotMetrics(Metrics("test"))).round()

    kept = await door.post(booking("e2", provider={"id": "dr-two"}))
    assert warnings(kept) == [{"code": "KEPT_NO_SHOW", "place": "appointment.status"}]
    assert await row(door) == (3, "noshow", False, "booked", None, None, 3)
    assert warnings(await door.post(booking("e3", status="arrived"))) == []
    assert await row(door) == (4, "arrived", False, None, None, None, 4)


@pytest.mark.parametrize("known", [None, 1], ids=["before the columns", "beside this one"])
async def test_what_the_release_before_wrote_is_upstreams_word_unless_the_patient_wrote_it(
    door: Door, known: int | None
) -> None:
    await door.post(booking())
    by_reply = {
        "status": "cancelled",
        "reason": CANCELLED_BY_PATIENT,
        "caused_by": f"patient-reply/{UUID(int=1)}",
        "said_version": known,
    }
    await written_by_the_release_before(door, **by_reply)
    assert warnings(await door.post(booking("e2", provider={"id": "dr-two"}))) == [KEPT]
    assert await row(door) == (3, "cancelled", False, "booked", None, None, 3)

    await written_by_the_release_before(door, status="booked", caused_by="local/old-1")
    await written_by_the_release_before(door, status="cancelled", caused_by="local/old-2")
    assert warnings(await door.post(booking("e3", provider={"id": "dr-two"}))) == []
    assert await row(door) == (6, "booked", False, None, None, None, 6)


async def test_a_confirmation_that_the_release_before_took_is_the_patients(door: Door) -> None:
    await door.post(booking())
    await written_by_the_release_before(door, confirmed=True, caused_by="patient-reply/1")

    await door.post(booking("e2", confirmed=False, end=(SOON + timedelta(days=1, hours=3)).isoformat()))
    assert await row(door) == (3, "booked", True, None, False, None, 3)
