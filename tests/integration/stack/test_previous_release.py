"""Two releases on one schema: the one before runs on while, and after, the database is brought to this one's."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import asyncpg
import httpx2
import orjson
import pytest

from chassis.postgres import migrator
from chassis.postgres.database import Connection
from schemas.topics import APPOINTMENTS
from stack.ports import free_port
from tests.support import databases
from tests.support.backends import KafkaServer, PostgresServer
from tests.support.booking.door import booking, published, send_inbound
from tests.support.installation import Installation
from tests.support.previous_release import Release, previous
from tests.support.waiting import until

SERVICE = "booking"
DAYS = count(1)
"""Each booking is for a day of its own: the same again would change nothing."""


@pytest.fixture
async def unmigrated(kafka: KafkaServer, postgres: PostgresServer, topic_prefix: str) -> AsyncIterator[Installation]:
    """Return an installation whose database is empty."""
    async with (
        databases.fresh(postgres) as admin_url,
        Installation.open(kafka.bootstrap, admin_url, topic_prefix) as opened,
    ):
        yield opened


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End the process after the block."""
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


async def test_b21_a_running_instance_of_the_release_before_survives_this_ones_migrations(
    unmigrated: Installation, tmp_path: Path
) -> None:
    """Its door, its consumer and its relay, beside those of this release, on this release's schema."""
    before = await asyncio.to_thread(previous, tmp_path, unmigrated.env)
    await asyncio.to_thread(before.run, SERVICE, "migrate")
    key = await asyncio.to_thread(
        before.run, SERVICE, "clients", "create", "local", "--source", "local", "--may-register"
    )
    old_port, new_port, asked = free_port(), free_port(), free_port()
    process = await asyncio.to_thread(before.start, SERVICE, BOOKING_HTTP_PORT=str(old_port))
    with ended(process):
        async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as http:
            old, new = f"http://127.0.0.1:{old_port}", f"http://127.0.0.1:{new_port}"
            await until(lambda: _ready(http, old))
            await _prepare(http, old)
            await _book(http, old, "before")

            during = await _migrate_while_booking(unmigrated, http, old)
            await _book(http, old, "after")
            await _keys_are_kept(unmigrated, before)
            record = ("by-topic", orjson.dumps(booking("by-topic", "by-topic")))
            await send_inbound(unmigrated, record, client="local")  # which the release before goes by
            await until(lambda: _has_booked(unmigrated, "by-topic"))

            ports = {"BOOKING_HTTP_PORT": str(new_port), "BOOKING_OPERATIONS_PORT": str(asked)}
            with ended(Release(tmp_path, unmigrated.env).start(SERVICE, **ports)):
                await until(lambda: _ready(http, f"http://127.0.0.1:{asked}"))
                await _book(http, new, "ours")
                for url, event in ((old, "moved"), (new, "moved-again"), (old, "moved-back")):
                    await _book(http, url, event, "after")
                await _flags_are_told(http, old, new, unmigrated)
                await until(lambda: _published(unmigrated))

    events = await published(unmigrated, APPOINTMENTS)
    ann = next(body["patient_id"] for _, body in events if body["caused_by"] == "local/before")
    versions: dict[str, list[int]] = {}
    for key_, body in events:
        if body["patient_id"] == ann:
            versions.setdefault(key_, []).append(body["version"])
    assert sorted(map(list, map(dict.fromkeys, versions.values()))) == [*[[1]] * (3 + during), [1, 2, 3, 4]]


async def _migrate_while_booking(installation: Installation, http: httpx2.AsyncClient, url: str) -> int:
    """Bring the schema up to date while keys are read for long, as a dump does; return how many were booked meanwhile.

    No booking is refused: neither behind a step that waits nor between two steps.
    """
    reader = await asyncpg.connect(installation.admin_url)
    reading = reader.transaction()
    await reading.start()
    await reader.fetch("SELECT key FROM booking.ingress")
    migrating = asyncio.create_task(
        migrator.migrate(installation.admin_url, installation.service_url(SERVICE), SERVICE, SERVICE, lock_again_s=0.1)
    )
    await until(lambda: _waits(reader))
    await _book(http, url, "during-0")
    await reading.rollback()
    await reader.close()
    for number in count(1):
        await _book(http, url, f"during-{number}")
        if migrating.done():
            assert await migrating, "this release has no step that the one before lacks"
            return number + 1
    raise AssertionError


async def _waits(connection: Connection) -> bool:
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))


async def _flags_are_told(http: httpx2.AsyncClient, old: str, new: str, installation: Installation) -> None:
    """D44: whichever of both writes a flag, a merge or a visit, the visit's newest version says what is so."""
    barred = {"do_not_contact": True}
    flags = {"lifted": barred, "moved": barred, "booked": barred, "kept": {"deceased": True}}
    for patient in ("set", "lifted", "moved", "away", "free"):
        await _book(http, new, f"of-{patient}", patient, patient)
    for patient, flag in flags.items():
        await _patient(http, new, patient, **flag)
    now_so = {"set": None, "lifted": "DO_NOT_CONTACT", "moved": "DO_NOT_CONTACT", "away": None, "free": None}
    await until(lambda: _says(installation, now_so), what="what this release wrote")

    await _patient(http, old, "set", deceased=True)
    await _patient(http, old, "lifted")  # what the release before is not told, it resets
    await _book(http, old, "its-moved", "moved", "moved")
    await _book(http, old, "its-free", "free", "free")
    await _book(http, old, "its-booked", "booked", "booked")
    answer = await http.post(f"{old}/v1/patients/away/merge?source=local", json={"into": {"id": "kept"}})
    assert answer.status_code == 200, answer.text

    so = {"set": "DECEASED", "lifted": None, "moved": "DO_NOT_CONTACT", "booked": "DO_NOT_CONTACT", "away": "DECEASED"}
    await until(lambda: _says(installation, {**so, "free": None}), what="what the release before wrote")


async def _says(installation: Installation, wanted: dict[str, str | None]) -> bool:
    """Whether the newest versions of these visits say that of their patients, and nothing is still looked after."""
    pool = await installation.pool(SERVICE)
    rows = await pool.fetch(
        "SELECT i.source_id, h.snapshot::json->>'barred' AS barred FROM appointment_alias i"
        " JOIN appointment a USING (appointment_id) JOIN appointment_history h USING (appointment_id, version)"
        " WHERE i.source_id = ANY ($1) AND NOT EXISTS (SELECT FROM patient_reissue)",
        list(wanted),
    )
    return {row["source_id"]: row["barred"] for row in rows} == wanted


async def _keys_are_kept(installation: Installation, before: Release) -> None:
    """Let it remove its old keys, one of which lies at the same place in its partition as a young one in another."""
    admin = await asyncpg.connect(installation.admin_url)
    add = (
        "INSERT INTO booking.ingress "
        "(client, key, body_sha256, result, appointment_id, version, warnings, recorded_at, period) "
        "SELECT 'another', $1, '', 'applied', gen_random_uuid(), 1, '{}', now() - $2::interval, "
        "booking.quarter_of(now() + $3::interval)"
    )
    try:
        for key, age, ahead in (("old", timedelta(days=500), timedelta()), ("young", timedelta(), timedelta(days=100))):
            await admin.execute(add, key, age, ahead)
        held = await admin.fetchval("SELECT count(*) FROM booking.ingress")
        await asyncio.to_thread(before.run, SERVICE, "retention")
        assert await admin.fetchval("SELECT count(*) FROM booking.ingress") == held
    finally:
        await admin.close()


async def _ready(http: httpx2.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(f"{url}/health/ready")).status_code == 200
    except httpx2.TransportError:
        return False


async def _prepare(http: httpx2.AsyncClient, url: str) -> None:
    clinic = {"name": "Eyes", "zone": "Europe/London", "languages": ["en"], "country": "GB"}
    for path, body in (
        ("clinics/EYE", clinic),
        ("providers/dr-who?source=local", {"name": "Dr Who"}),
        ("patients/ann?source=local", {"given_name": "Ann", "family_name": "Lee", "mobile": "+447700900123"}),
    ):
        answer = await http.put(f"{url}/v1/{path}", json=body)
        assert answer.status_code in (200, 201), answer.text


async def _patient(http: httpx2.AsyncClient, url: str, patient: str, **flags: bool) -> None:
    answer = await http.put(f"{url}/v1/patients/{patient}?source=local", json={"given_name": "Ann", **flags})
    assert answer.status_code == 200, answer.text


async def _book(http: httpx2.AsyncClient, url: str, event: str, visit: str | None = None, patient: str = "ann") -> None:
    start = (datetime(2027, 3, 1, 10, tzinfo=UTC) + timedelta(days=next(DAYS))).isoformat()
    given = {"start": start, "end": None, "patient": {"id": patient}}
    answer = await http.post(f"{url}/v1/events", json=booking(event, visit or event, **given))
    assert answer.status_code == 200, answer.text
    assert answer.json()["result"] == "applied", answer.text


async def _has_booked(installation: Installation, visit: str) -> bool:
    pool = await installation.pool(SERVICE)
    return bool(await pool.fetchval("SELECT EXISTS (SELECT FROM appointment_alias WHERE source_id = $1)", visit))


async def _published(installation: Installation) -> bool:
    admin = await asyncpg.connect(installation.admin_url)
    try:
        return not await admin.fetchval("SELECT EXISTS (SELECT FROM booking.outbox)")
    finally:
        await admin.close()
