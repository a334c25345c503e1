"""An odd row of ours or of booking's stops no lane: its message is taken aside; staff send it again once mended."""

from datetime import timedelta
from typing import Any

import pytest

from notifier.lanes.domain.undecided import MOST, PUT_OFF
from schemas.appointments import Appointment
from schemas.notifications import Channel, Outcome
from schemas.reminders import Reason
from tests.support.notifier.running import RunningNotifier
from tests.support.waiting import until

pytestmark = pytest.mark.integration


async def waiting(notifier: RunningNotifier, clinic: str = "NORTH", **fields: Any) -> Appointment:
    """Return a visit whose reminder waits for its lane."""
    visit = notifier.visit(await notifier.patient(email=None), clinic=clinic)
    await notifier.hold(visit)
    await notifier.due(visit, **fields)
    await notifier.settled(visit, "reminder", "queued")
    return visit


KNOW = """
INSERT INTO appointment (appointment_id, version, status, schedule_gen, starts_at, patient_id, clinic_id)
VALUES ($1, $2, 'booked', $3, $4, $5, $6)"""


async def known(notifier: RunningNotifier, visit: Appointment) -> None:
    """Let the notifier know the visit, as after its event, but without a confirmation."""
    fields = (visit.version, visit.schedule_gen, visit.starts_at, visit.patient_id, visit.clinic_id)
    await notifier.pool.execute(KNOW, visit.appointment_id, *fields)


async def put_off(notifier: RunningNotifier, *visits: Appointment) -> None:
    """Wait until each visit's reminder waits because it could not be decided."""
    query = "SELECT count(*) FROM notification WHERE appointment_id = ANY($1) AND next_attempt_at > $2"
    ids = [visit.appointment_id for visit in visits]

    async def waits() -> bool:
        return bool(await notifier.pool.fetchval(query, ids, notifier.now) >= len(ids))

    await until(waits)


async def pass_a_minute_in_which_another_is_decided(notifier: RunningNotifier) -> None:
    """What raises again after it is odd by itself."""
    another = notifier.visit(await notifier.patient(email=None))
    await notifier.hold(another)
    await notifier.due(another)
    await notifier.settled(another, "reminder", "accepted")
    notifier.step(PUT_OFF)


async def zone(notifier: RunningNotifier, clinic: str, name: str) -> None:
    """Give a clinic a zone that booking's door would refuse."""
    await notifier.execute("UPDATE clinic SET zone = $2 WHERE clinic_id = $1", clinic, name)


async def test_a_clinic_whose_zone_is_none_keeps_no_other_from_sending_and_sends_once_it_is_mended(
    notifier: RunningNotifier,
) -> None:
    """`Europe` is a folder of zones: reading it looked like a database that is away, for ever."""
    await notifier.clinic("SOUTH")
    await notifier.start(lanes=())
    soon = notifier.now + timedelta(hours=6)
    odd = [await waiting(notifier, "SOUTH", not_after=soon) for _ in range(3)]
    others = [await waiting(notifier) for _ in range(3)]
    await notifier.publish(odd[0])
    await notifier.settled(odd[0], "confirmation", "queued")
    await zone(notifier, "SOUTH", "Europe")
    service = await notifier.start(fanout=False, lanes=(Channel.SMS,))

    for visit in others:
        await notifier.settled(visit, "reminder", "accepted")
    await put_off(notifier, *odd)
    await pass_a_minute_in_which_another_is_decided(notifier)
    for visit in odd:
        row = await notifier.settled(visit, "reminder", "failed")
        assert (row["reason"], row["attempts"]) == (Reason.UNDECIDABLE, 0)
    assert service.health.reasons() == {}

    told = (await notifier.ask("GET", f"/v1/appointments/{odd[0].appointment_id}/timeline")).json()["entries"]
    assert "reminder failed: it could not be decided: the log names the error; once that is mended, send it again" in [
        entry["text"] for entry in told if entry["reason"] == Reason.UNDECIDABLE
    ]
    listed = (await notifier.ask("GET", "/v1/work-list")).json()["items"]
    assert {(item["reason"], "resend" in item["actions"]) for item in listed} == {("UNDECIDABLE", True)}
    [reminder] = [item for item in listed if item["kind"] == "reminder"]
    resend = f"/v1/work-list/{reminder['notification_id']}/resend"
    refused = await notifier.ask("POST", resend, json={"by": "desk"})
    assert (refused.status_code, refused.json()["errors"]) == (409, [{"place": "gate", "code": "UNDECIDABLE"}])

    await zone(notifier, "SOUTH", "Europe/London")
    assert (await notifier.ask("POST", resend, json={"by": "desk"})).status_code == 200
    await notifier.settled(odd[0], "reminder", "accepted")

    async def published() -> bool:
        told = [one for one in await notifier.outcomes() if one.kind == "reminder"]
        failed = [one for one in told if one.reason is Reason.UNDECIDABLE]
        return [one.outcome for one in failed] == [Outcome.FAILED] * len(odd)

    await until(published)


ODD_ROWS = {
    "a kind of a later release": "kind = 'kept-for-later'",
    "a reason of a later release": "reason = 'NOT_KNOWN_YET'",
    "a step of a channel that is none": """steps = '[{"channel": "fax", "reason": "REFUSED"}]'""",
    "steps that are no list of steps": """steps = '["sms"]'""",
    "steps that are a number": "steps = '7'",
    "attempts beyond what can be counted": "attempts = 2147483647",
}
ROWS_OF_NO_LATER_RELEASE = {"attempts = 2147483647"}
"""They can be read, and not written."""


@pytest.mark.parametrize("odd", ODD_ROWS.values(), ids=ODD_ROWS)
async def test_an_odd_row_waits_for_its_deadline_and_staff_see_it_and_the_others_leave(
    notifier: RunningNotifier, odd: str
) -> None:
    """A process of a later release, beside this one, may read it and send it until then."""
    await notifier.start(lanes=())
    soon = notifier.now + timedelta(hours=6)
    wrong, other = await waiting(notifier, not_after=soon), await waiting(notifier)
    await known(notifier, wrong)
    await notifier.pool.execute(f"UPDATE notification SET {odd} WHERE appointment_id = $1", wrong.appointment_id)  # noqa: S608
    service = await notifier.start(fanout=False, lanes=(Channel.SMS,))

    await notifier.settled(other, "reminder", "accepted")
    query = "SELECT state FROM notification WHERE appointment_id = $1"

    async def ended() -> bool:
        return await notifier.pool.fetchval(query, wrong.appointment_id) in {"failed", "accepted", "skipped"}

    await put_off(notifier, wrong)
    await pass_a_minute_in_which_another_is_decided(notifier)
    if odd not in ROWS_OF_NO_LATER_RELEASE:
        await put_off(notifier, wrong)
        assert not await ended()
        notifier.step(timedelta(hours=7))
    await until(ended)
    assert service.health.reasons() == {}
    listed = await notifier.ask("GET", "/v1/work-list")
    assert str(wrong.appointment_id) in {item["appointment_id"] for item in listed.json()["items"]}
    told = await notifier.ask("GET", f"/v1/appointments/{wrong.appointment_id}/timeline")
    shown = await notifier.ask("GET", f"/v1/notifications?appointment={wrong.appointment_id}")
    assert {answer.status_code for answer in (listed, told, shown)} == {200}


@pytest.mark.parametrize(
    "odd",
    [
        "UPDATE appointment SET status = 'thought-of' WHERE appointment_id = $1",
        "UPDATE clinic SET zone = repeat('Z', 300) WHERE $1::uuid IS NOT NULL AND clinic_id = 'SOUTH'",
        "UPDATE clinic SET zone = '' WHERE $1::uuid IS NOT NULL AND clinic_id = 'SOUTH'",
        "UPDATE clinic SET window_opens = '24:00' WHERE $1::uuid IS NOT NULL AND clinic_id = 'SOUTH'",
        """INSERT INTO notifier.clinic_sending (clinic_id, version, channel_windows, changed_at, changed_by)
           SELECT 'SOUTH', 1, '{"sms": ["morning", "noon"]}', now(), 'test' WHERE $1::uuid IS NOT NULL""",
        """INSERT INTO notifier.clinic_sending (clinic_id, version, channel_windows, changed_at, changed_by)
           SELECT 'SOUTH', 1, '{"fax": ["07:00", "08:00"]}', now(), 'test' WHERE $1::uuid IS NOT NULL""",
        """INSERT INTO notifier.clinic_sending (clinic_id, version, channel_windows, changed_at, changed_by)
           SELECT 'SOUTH', 1, '[]', now(), 'test' WHERE $1::uuid IS NOT NULL""",
    ],
)
async def test_whatever_is_odd_about_one_clinic_or_visit_the_others_leave(notifier: RunningNotifier, odd: str) -> None:
    await notifier.clinic("SOUTH")
    await notifier.start(lanes=())
    soon = notifier.now + timedelta(hours=6)
    wrong, other = await waiting(notifier, "SOUTH", not_after=soon), await waiting(notifier)
    await notifier.execute(odd, wrong.appointment_id)
    service = await notifier.start(fanout=False, lanes=(Channel.SMS,))

    await notifier.settled(other, "reminder", "accepted")
    await pass_a_minute_in_which_another_is_decided(notifier)
    row = await notifier.settled(wrong, "reminder", "failed", "skipped")
    assert row["reason"] in {Reason.UNDECIDABLE, Reason.QUIET_HOURS}
    assert service.health.reasons() == {}


async def test_g5_an_odd_row_whose_lease_ran_out_is_unknown_and_the_lane_goes_on(notifier: RunningNotifier) -> None:
    await notifier.start(lanes=())
    wrong, other = await waiting(notifier), await waiting(notifier)
    await notifier.pool.execute(
        """UPDATE notification SET state = 'sending', steps = '["?"]', attempts = 1, lease_until = clock_timestamp()
           WHERE appointment_id = $1""",
        wrong.appointment_id,
    )
    await notifier.start(fanout=False, lanes=(Channel.SMS,))

    row = await notifier.settled(wrong, "reminder", "unknown")
    await notifier.settled(other, "reminder", "accepted")
    assert (row["reason"], row["attempts"]) == (Reason.OUTCOME_UNKNOWN, 1)


async def test_many_that_cannot_be_decided_are_kept_until_they_can_and_the_others_leave_meanwhile(
    notifier: RunningNotifier,
) -> None:
    """A clinic's whole morning, as good as a fault of ours: to fail each would lose what a person mends in minutes."""
    await notifier.clinic("SOUTH")
    await notifier.start(lanes=())
    soon = notifier.now + timedelta(hours=6)
    odd = [await waiting(notifier, "SOUTH", not_after=soon) for _ in range(MOST + 5)]
    others = [await waiting(notifier) for _ in range(3)]
    await zone(notifier, "SOUTH", "Europe")
    service = await notifier.start(fanout=False, lanes=(Channel.SMS,), sms_slots=64)

    for visit in others:
        await notifier.settled(visit, "reminder", "accepted")

    async def kept() -> bool:
        query = (
            "SELECT count(*) FROM notification WHERE clinic_id = 'SOUTH' AND state = 'queued' AND next_attempt_at > $1"
        )
        return bool(await notifier.pool.fetchval(query, notifier.now) == len(odd))

    await until(kept)
    assert set(service.health.reasons()) == {"sms lane"}

    await zone(notifier, "SOUTH", "Europe/London")
    notifier.step(PUT_OFF)
    for visit in odd:
        assert (await notifier.settled(visit, "reminder", "accepted", "failed"))["state"] == "accepted"
