"""A visit that lacks something is told of so many days before, by its clinic's wall clock (D14, D15, D20)."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import orjson

from booking.clearance_notices.job import ClearanceNotices
from booking.clearances.store import standing
from chassis.process.clock import StillClock
from chassis.process.metrics import Metrics
from chassis.time_slots.metrics import SlotMetrics
from chassis.time_slots.runner import Runner
from tests.support.booking.door import Door, booking, opened
from tests.support.installation import Installation

TEN = datetime(2027, 3, 12, 10, tzinfo=UTC)
"""The visit of `booking()`, in winter time."""
HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
CONSENT: dict[str, Any] = {"kind": "consent"}


def looking(door: Door, now: datetime, **given: Any) -> tuple[Runner, StillClock]:
    clock = StillClock(now)
    return Runner(door.pool, clock, ClearanceNotices(**given), SlotMetrics(Metrics("test"))), clock


async def requires(
    door: Door,
    *requirements: dict[str, Any],
    days: tuple[int, ...] = (7, 2),
    service_type: str | None = None,
    clinic: str = "EYE",
    unset: bool = False,
) -> None:
    """Put a policy in force."""
    await door.pool.execute(
        "INSERT INTO clearance_policy (clinic_id, version, service_type, mode, requires, notify_days, unset, set_by, "
        "set_at) SELECT $1, coalesce(max(version), 0) + 1, $2, 'observe', $3, $4, $5, 'test', $6 FROM clearance_policy "
        "WHERE clinic_id = $1",
        clinic, service_type, list(requirements), list(days), unset, TEN - 90 * DAY,
    )  # fmt: skip


async def clear(door: Door, visit: str = "v1", state: str = "cleared", kind: str = "consent", **given: Any) -> None:
    """Say how one clearance of a visit stands, in place of what was said before."""
    visit_id = await id_of(door, visit)
    patient_id = await door.pool.fetchval("SELECT patient_id FROM appointment WHERE appointment_id = $1", visit_id)
    held = {
        "appointment_id": visit_id, "patient_id": patient_id, "kind": kind, "form": "", "version": 1, "state": state,
        "client": "test", "recorded_at": TEN - 60 * DAY, **given,
    }  # fmt: skip
    places = ", ".join(f"${number}" for number in range(1, len(held) + 1))
    await door.pool.execute(
        f"INSERT INTO clearance ({', '.join(held)}) VALUES ({places}) "  # noqa: S608  # the test's own names
        "ON CONFLICT (appointment_id, kind, form) DO UPDATE SET state = excluded.state",
        *held.values(),
    )


async def id_of(door: Door, visit: str) -> UUID:
    found: UUID = await door.pool.fetchval("SELECT appointment_id FROM appointment_alias WHERE source_id = $1", visit)
    return found


async def told(door: Door) -> list[tuple[str, int, int]]:
    """Return visit, schedule and days of every event, in order."""
    rows = await door.pool.fetch("SELECT value FROM outbox WHERE topic = 'clearances' ORDER BY id")
    names = {row[0]: row[1] for row in await door.pool.fetch("SELECT appointment_id, source_id FROM appointment_alias")}
    said = [orjson.loads(row["value"]) for row in rows]
    return [(names[UUID(one["appointment_id"])], one["schedule_gen"], one["days"]) for one in said]


async def listed(door: Door) -> list[str]:
    rows = await door.pool.fetch(
        "SELECT source_id FROM visit_flag JOIN appointment_alias USING (appointment_id) "
        "WHERE code = 'CLEARANCE_MISSING' AND done_at IS NULL ORDER BY 1"
    )
    return [row[0] for row in rows]


async def test_a_visit_that_lacks_something_is_told_of_once_so_many_days_before(door: Door) -> None:
    await requires(door, CONSENT)
    await door.post(booking())
    look, clock = looking(door, TEN - 7 * DAY - MINUTE)
    await look.round()
    assert await look.next_wake() == TEN - 7 * DAY
    assert (await told(door), await listed(door)) == ([], [])

    for at in (-7 * DAY, -7 * DAY + HOUR, -6 * DAY, -2 * DAY, -2 * DAY + HOUR):
        clock.move(TEN + at)
        await look.round()
        await look.round()

    assert await told(door) == [("v1", 1, 7), ("v1", 1, 2)]
    assert await listed(door) == ["v1"]
    [first, _] = [
        orjson.loads(row[0])
        for row in await door.pool.fetch("SELECT value FROM outbox WHERE topic = 'clearances' ORDER BY id")
    ]
    assert (first["due"], first["not_after"]) == ("2027-03-05T10:00:00Z", "2027-03-10T16:00:00Z")
    assert first["caused_by"] == "clearance-notice/EYE/2027-03-05T10:00+00:00"
    assert await look.idle()


async def test_who_is_cleared_is_not_told_and_who_withdraws_is_told_the_next_time(door: Door) -> None:
    await requires(door, CONSENT)
    await door.post(booking())
    await clear(door)
    look, clock = looking(door, TEN - 7 * DAY)
    await look.round()
    assert (await told(door), await listed(door)) == ([], [])

    await clear(door, state="withdrawn")
    clock.move(TEN - 2 * DAY)
    await look.round()

    assert (await told(door), await listed(door)) == ([("v1", 1, 2)], ["v1"])


async def test_what_expires_before_the_visit_is_missing(door: Door) -> None:
    await requires(door, CONSENT, days=(2,))
    for name, expires_at in (("short", TEN - HOUR), ("long", TEN + HOUR)):
        await door.post(booking(name, name))
        await clear(door, name, expires_at=expires_at)

    await looking(door, TEN - 2 * DAY)[0].round()

    assert await told(door) == [("short", 1, 2)]


async def test_only_a_booked_visit_is_told_of_and_one_that_moved_by_its_new_time(door: Door) -> None:
    await requires(door, CONSENT, days=(2,))
    for name in ("stands", "cancelled", "moved", "here"):
        await door.post(booking(name, name))
    for name, status in (("cancelled", "cancelled"), ("here", "arrived")):
        await door.post({"event_id": f"{name}-2", "appointment": {"id": name, "status": status}})
    later = {"start": "2027-03-13T10:00:00+00:00", "end": "2027-03-13T10:30:00+00:00"}
    await door.post(booking("moved-2", "moved", **later))

    look, clock = looking(door, TEN - 2 * DAY)
    await look.round()
    assert await told(door) == [("stands", 1, 2)]

    clock.move(TEN - DAY)
    await look.round()
    assert await told(door) == [("stands", 1, 2), ("moved", 2, 2)]


async def test_d14_a_moment_that_was_past_when_the_visit_was_booked_tells_nobody(base: Installation) -> None:
    async with opened(base, StillClock(TEN - 2 * DAY + MINUTE)) as door:
        await requires(door, CONSENT, days=(7, 2, 1))
        await door.post(booking())
        look, clock = looking(door, TEN - 2 * DAY + HOUR)
        await look.round()
        assert await told(door) == []

        clock.move(TEN - DAY)
        await look.round()
        assert await told(door) == [("v1", 1, 1)]


async def test_days_are_the_wall_clocks(door: Door) -> None:
    """Two days before ten o'clock in summer time it is ten o'clock in winter time, 47 hours before."""
    await requires(door, CONSENT, days=(2,))
    await door.post(booking(start="2027-03-29T09:00:00+00:00", end=None))
    look, clock = looking(door, datetime(2027, 3, 27, 9, 59, tzinfo=UTC))
    await look.round()
    assert await told(door) == []

    clock.move(datetime(2027, 3, 27, 10, tzinfo=UTC))
    await look.round()
    assert await told(door) == [("v1", 1, 2)]


async def test_a_service_type_has_its_own_days_and_who_has_no_policy_or_no_days_is_never_looked_at(door: Door) -> None:
    await requires(door, CONSENT, days=(2,))
    await requires(door, CONSENT, days=(3,), service_type="MRI")
    await requires(door, CONSENT, days=(), service_type="X-ray")
    await requires(door, CONSENT, days=(5,), service_type="Eyes")
    await requires(door, service_type="Eyes", unset=True, days=())
    for name in ("MRI", "X-ray", "Eyes", "Check"):
        await door.post(booking(name, name, service_type=name))
    look, clock = looking(door, TEN - 5 * DAY)
    for days in (5, 3, 2):
        clock.move(TEN - days * DAY)
        await look.round()

    assert sorted(await told(door)) == [("Check", 1, 2), ("Eyes", 1, 2), ("MRI", 1, 3)]

    await requires(door, unset=True, days=())
    await requires(door, service_type="MRI", unset=True, days=())
    assert await look.next_wake() is None


async def test_d20_a_moment_that_nobody_was_there_for_is_made_up_for_within_a_day(door: Door) -> None:
    await requires(door, CONSENT, days=(7,))
    await door.post(booking())
    await door.post(booking("later", "later", start="2027-03-13T09:00:00+00:00", end=None))

    await looking(door, TEN - 6 * DAY)[0].round()

    assert await told(door) == [("later", 1, 7)]


async def test_a_slot_of_many_visits_is_done_in_steps(door: Door) -> None:
    await requires(door, CONSENT, days=(2,))
    for number in range(5):
        await door.post(booking(f"e{number}", f"v{number}"))
    await clear(door, "v3")

    look, _ = looking(door, TEN - 2 * DAY, size=2)
    await look.round()

    assert sorted(await told(door)) == [(f"v{number}", 1, 2) for number in (0, 1, 2, 4)]
    assert await door.pool.fetchval("SELECT count(*) FROM clearance_notice") == 5
    assert await look.idle()


FORMS: list[dict[str, Any]] = [
    CONSENT,
    {"kind": "consent", "form": "mri"},
    {"kind": "consent", "form": "mri", "versions": ["2", "3"]},
]
PAID: list[dict[str, Any]] = [{"kind": "financial"}, {"kind": "financial", "payer_classes": ["self-pay", "private"]}]


async def test_the_gate_says_what_lacks_as_the_domain_does(door: Door, base: Installation) -> None:
    """Every requirement against what may be held: states, forms, versions, expiry, and who pays."""
    random = Random(34)
    sets: list[list[dict[str, Any]]] = [[form, paid, {"kind": "identity"}] for form in FORMS for paid in PAID]
    for number, requirements in enumerate(sets):
        await requires(door, *requirements, service_type=f"s{number}")
    for number in range(120):
        name = f"v{number}"
        await door.post(booking(name, name, service_type=f"s{number % len(sets)}"))
        for kind, form in (("consent", ""), ("consent", "mri"), ("financial", ""), ("identity", "")):
            if random.random() < 0.7:
                given: dict[str, Any] = {
                    "expires_at": random.choice([None, None, TEN - DAY, TEN, TEN + DAY]),
                    "form_version": random.choice([None, "1", "2", "3"]) if form else None,
                    "payer_class": random.choice([None, "private", "public"]),
                    "said_at": random.choice([None, TEN - 70 * DAY, TEN - 50 * DAY]),
                }
                if random.random() < 0.2:
                    given["patient_id"] = UUID(int=random.choice((1, 2)))  # another's; of whom was merged into him
                states = ("pending", "cleared", "cleared", "refused", "waived", "withdrawn")
                await clear(door, name, random.choice(states), kind, form=form, **given)
    ids = [row[0] for row in await door.pool.fetch("SELECT appointment_id FROM appointment ORDER BY 1")]
    await door.pool.execute(
        "INSERT INTO patient_merge (patient_id, merged_into, source, source_id, merged_at, merged_by) "
        "SELECT $1, patient_id, 'local', 'anna', $2, 'test' FROM appointment LIMIT 1", UUID(int=2), TEN - 80 * DAY,
    )  # fmt: skip

    async with door.pool.acquire() as connection:
        expected = await standing(connection, ids, TEN - 2 * DAY, at_start=True)
    notifier = await base.pool("notifier")
    rows = await notifier.fetch(
        "SELECT appointment_id, kind FROM booking.clearance_gate($1, $2) ORDER BY 1, place", ids, TEN - 2 * DAY
    )

    found: dict[UUID, list[str]] = {one: [] for one in ids}
    for row in rows:
        found[row["appointment_id"]].append(row["kind"])
    assert found == {one: [lack.kind for lack in expected[one].lacking] for one in ids}
    assert {bool(lacking) for lacking in found.values()} == {True, False}


async def test_the_gate_gives_the_clinics_own_names_and_ways_and_everybodys_pages(
    door: Door, base: Installation
) -> None:
    await requires(
        door, CONSENT, {"kind": "x-ray", "how": "Ask the ward.", "link": "https://e.example/x"}, {"kind": "identity"}
    )
    await door.pool.execute(
        "INSERT INTO clearance_kind (clinic_id, kind, shape, title, how, link, set_by, set_at) VALUES "
        "('EYE', 'x-ray', 'plain', 'X-ray pictures', 'Bring them.', NULL, 'test', $1), "
        "('EYE', 'identity', 'plain', 'Passport', 'Bring it.', 'https://e.example/p', 'test', $1), "
        "('EYE', 'identity', 'plain', 'Your passport', 'Bring it.', 'https://e.example/p', 'test', $1)",
        TEN - 90 * DAY,
    )
    await door.post(booking())
    notifier = await base.pool("notifier")

    rows = await notifier.fetch(
        "SELECT kind, title, how, link FROM booking.clearance_gate($1, $2) ORDER BY place",
        [await id_of(door, "v1")],
        TEN,
    )

    assert [tuple(row) for row in rows] == [
        ("consent", "", "", ""),
        ("x-ray", "X-ray pictures", "Ask the ward.", "https://e.example/x"),
        ("identity", "Your passport", "Bring it.", "https://e.example/p"),
    ]
