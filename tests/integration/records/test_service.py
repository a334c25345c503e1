"""The whole service on real topics: delivery, repeats, instances, dead letters, rebuild."""

from random import Random

import httpx2 as httpx
import pytest

from chassis.delivery.replay import replay
from chassis.process.errors import Misconfigured
from records.wiring import subscriptions
from schemas import wire
from schemas.appointments import APPOINTMENT_CHANGED, Appointment, Status
from schemas.people import PATIENT_CHANGED
from schemas.subfiles import SubFileStatus
from schemas.topics import APPOINTMENTS, PATIENTS
from tests.integration.records.running import KEY, Running, appointment, patient, provider
from tests.support.records.builders import id_of
from tests.support.waiting import until

pytestmark = pytest.mark.integration


async def outcomes(records: Running) -> dict[str, int]:
    """Return what became of the records of `appointments`, as counted beside the positions."""
    topic = records.installation.topic_prefix + APPOINTMENTS.name
    row = await records.pool.fetchrow(
        "SELECT sum(applied)::int AS applied, sum(repeat)::int AS repeat, sum(stale)::int AS stale,"
        " sum(dead)::int AS dead FROM consumer_offset WHERE topic = $1",
        topic,
    )
    return dict(row or {})


async def codes(records: Running) -> list[str]:
    return [row["code"] for row in await records.pool.fetch("SELECT code FROM dead_letter ORDER BY id")]


def a_history(patients: int = 12) -> list[Appointment]:
    """Return bookings of some patients at two clinics, each moved and some cancelled, keys all over the partitions."""
    visits = [(n, visit, clinic) for n in range(patients) for visit in range(3) for clinic in ("EYE", "SKIN")]
    return [
        appointment(f"{n} {visit} {clinic}", version, status, patient=f"patient {n}", clinic=clinic)
        for version, status in ((1, Status.BOOKED), (2, Status.BOOKED), (3, Status.CANCELLED))
        for n, visit, clinic in visits
        if version < 3 or n % 2
    ]


def expected_numbers(patients: int = 12) -> set[str]:
    return {f"FILE-2026-{n:06d}-{clinic}-01" for n in range(patients) for clinic in ("EYE", "SKIN")}


async def registered(records: Running, patients: int = 12) -> None:
    await records.write(*(patient(f"patient {n}", main_file=f"FILE-2026-{n:06d}") for n in range(patients)))
    await records.write(provider())


async def test_r1_r4_r6_a_booking_becomes_a_numbered_file_and_an_event(records: Running) -> None:
    await records.start()
    await records.write(patient(), provider())
    await records.done()

    await records.write(appointment())
    await records.done()

    assert await records.files() == {"FILE-2026-000007-EYE-01": id_of("dr who")}
    (event,) = await records.published()
    assert (event.status, event.number, event.version) == (SubFileStatus.ACTIVE, "FILE-2026-000007-EYE-01", 1)
    assert event.caused_by == str(wire.event_id(appointment().appointment_id, 1))


@pytest.mark.parametrize("main_file_first", [True, False])
async def test_d5_the_file_is_completed_whichever_topic_is_ahead(records: Running, main_file_first: bool) -> None:
    service = await records.start()
    await (records.write(patient()) if main_file_first else records.write(appointment(provider=None)))
    await records.done()
    assert (await service.health.status())["parked"] == (0 if main_file_first else 1)

    await (records.write(appointment(provider=None)) if main_file_first else records.write(patient()))
    await records.done()

    assert list(await records.files()) == ["FILE-2026-000007-EYE-01"]
    assert (await service.health.status())["parked"] == 0
    assert [event.status for event in await records.published()][-1] is SubFileStatus.ACTIVE


async def test_r3_two_instances_and_one_patient_in_every_partition_make_one_file(records: Running) -> None:
    await records.write(patient(), provider())
    await records.start()
    await records.start()
    await records.done()

    for partition in range(APPOINTMENTS.partitions):
        await records.write(*(appointment(f"{partition} {n}") for n in range(5)), partition=partition)
    await records.done()

    assert list(await records.files()) == ["FILE-2026-000007-EYE-01"]
    assert len(await records.published()) == 1


async def test_i3_r8_duplicates_ten_times_and_shuffled_are_counted_and_come_to_the_same_files(records: Running) -> None:
    await registered(records)
    await records.start()
    await records.done()
    events = a_history() * 10
    Random(10).shuffle(events)

    await records.write(*events)
    await records.done()

    assert set(await records.files()) == expected_numbers()
    counts = await outcomes(records)
    assert sum(counts.values()) == len(events)
    assert counts["dead"] == 0


async def test_d1_i12_a_rebuild_from_offset_0_gives_the_same_numbers_and_applies_the_same_events(
    records: Running,
) -> None:
    await registered(records)
    await records.write(*a_history())
    await records.start()
    await records.done()
    first = await records.pool.fetch("SELECT sub_file_id, number, status, provider_id FROM sub_file ORDER BY 1")
    await records.stop()

    await records.pool.execute(
        "WITH a AS (DELETE FROM sub_file), b AS (DELETE FROM appointment), c AS (DELETE FROM patient),"
        " d AS (DELETE FROM provider) DELETE FROM consumer_offset"
    )
    with pytest.raises(Misconfigured, match="the database of records is behind its topics"):
        await records.start()  # a restored database looks the same: a person says which it is
    await records.start(rebuild=True)
    await records.done()

    assert await records.pool.fetch("SELECT sub_file_id, number, status, provider_id FROM sub_file ORDER BY 1") == first
    assert {row["number"] for row in first} == expected_numbers()


async def test_g8_a_poison_record_is_kept_whole_and_the_others_go_on(records: Running) -> None:
    await records.start()
    await records.write(patient(), provider())
    key = id_of("poison")
    bad = wire.encode(appointment("poison")).replace(b'"EYE"', b'"no code"')

    await records.write_bytes(APPOINTMENTS, key, bad, APPOINTMENT_CHANGED)
    await records.write_bytes(APPOINTMENTS, key, b"{", APPOINTMENT_CHANGED)
    await records.write_bytes(APPOINTMENTS, key, None, APPOINTMENT_CHANGED)
    await records.write_bytes(APPOINTMENTS, key, wire.encode(appointment()), "appointment.changed.v2")
    await records.write_bytes(APPOINTMENTS, key, wire.encode(appointment()), "weather.changed.v1")
    await records.write(appointment())
    await records.done()

    letters = await records.pool.fetch('SELECT code, value, message FROM dead_letter ORDER BY "offset"')
    assert [row["code"] for row in letters] == ["INVALID", "INVALID", "NO_VALUE", "UNKNOWN_VERSION", "UNKNOWN_TYPE"]
    assert letters[0]["value"] == bad
    assert "no code" not in letters[0]["message"]
    assert list(await records.files()) == ["FILE-2026-000007-EYE-01"]
    assert await outcomes(records) == {"applied": 1, "repeat": 0, "stale": 0, "dead": 5}


async def test_d2_an_overflow_reaches_the_dead_letters_and_replays_once_there_is_room(records: Running) -> None:
    await records.write(patient(), provider(), appointment())
    service = await records.start(replace_closed=True)
    await records.done()
    await records.pool.execute("UPDATE sub_file SET status = 'CLOSED', ordinal = 99")

    await records.write(appointment("one too many"), appointment("elsewhere", clinic="SKIN"))
    await records.done()

    (letter,) = await records.pool.fetch("SELECT id, code FROM dead_letter")
    assert letter["code"] == "SUB_FILE_ORDINAL_OVERFLOW"
    assert "FILE-2026-000007-SKIN-01" in await records.files()
    await records.pool.execute("UPDATE sub_file SET ordinal = 98 WHERE ordinal = 99")
    listened, prefix = subscriptions(service.settings), service.settings.topic_prefix
    assert await replay(records.pool, listened, prefix, letter["id"]) == "applied"
    assert "FILE-2026-000007-EYE-99" in await records.files()


async def test_a_main_file_that_another_patient_holds_is_refused_alone(records: Running) -> None:
    await records.start()

    await records.write(patient(), patient("impostor"), patient("bob", main_file="FILE-2026-000008"))
    await records.done()

    assert await codes(records) == ["MAIN_FILE_TAKEN"]
    assert await records.pool.fetchval("SELECT count(*) FROM patient WHERE main_file IS NOT NULL") == 2


async def test_a_tombstone_of_a_patient_erases_and_one_without_an_id_is_a_dead_letter(records: Running) -> None:
    await records.start()
    await records.write(patient())

    await records.write_bytes(PATIENTS, id_of("ann"), None, PATIENT_CHANGED)
    await records.write_bytes(PATIENTS, "no id", None, PATIENT_CHANGED)
    await records.done()

    assert await records.pool.fetchval("SELECT count(*) FROM patient WHERE main_file IS NOT NULL") == 0
    assert await codes(records) == ["INVALID"]


async def test_an_id_in_another_spelling_is_read_by_the_whole_contract(records: Running) -> None:
    await records.write(patient(), provider())
    await records.start()
    shouted = wire.encode(appointment()).replace(id_of("ann").encode(), id_of("ann").upper().encode())

    await records.write_bytes(APPOINTMENTS, id_of("visit"), shouted, APPOINTMENT_CHANGED)
    await records.done()

    assert list(await records.files()) == ["FILE-2026-000007-EYE-01"]


async def test_the_read_api_finds_a_file_by_patient_by_any_visit_and_when_parked(records: Running) -> None:
    service = await records.start()
    await records.write(patient(), provider(), appointment("first"), appointment("second"))
    await records.write(appointment("third", patient="bob"))
    await records.done()

    async with httpx.AsyncClient(transport=httpx.ASGITransport(service.api), base_url="http://records") as client:
        address, key = "/v1/subfiles", {"Authorization": f"Bearer {KEY}"}

        async def found(**asked: str) -> list[str | None]:
            answer = await client.get(address, params=asked, headers=key)
            assert answer.status_code == 200, answer.text
            return [item["number"] for item in answer.json()["items"]]

        number = "FILE-2026-000007-EYE-01"
        assert await found(patient=id_of("ann")) == [number]
        assert await found(appointment=id_of("first")) == [number]
        assert await found(appointment=id_of("second")) == [number]
        assert await found(patient=id_of("ann"), clinic="SKIN") == []
        assert await found(status="PARKED") == [None]
        assert await found(appointment=id_of("nobody's")) == []
        assert (await client.get(address, params={"patient": id_of("ann")})).status_code == 401
        assert (await client.get(address, headers=key)).json()["code"] == "NO_FILTER"
        assert (await client.get(address, params={"patient": "x"}, headers=key)).status_code == 422


async def test_the_list_of_parked_files_is_paged_without_gaps(records: Running) -> None:
    service = await records.start()
    await records.write(*(appointment(f"visit {n}", patient=f"patient {n}") for n in range(7)))
    await records.done()

    async with httpx.AsyncClient(transport=httpx.ASGITransport(service.api), base_url="http://records") as client:
        seen: list[str] = []
        after: dict[str, str] = {}
        while True:
            asked = {"status": "PARKED", "limit": "3", **after}
            page = (await client.get("/v1/subfiles", params=asked, headers={"Authorization": f"Bearer {KEY}"})).json()
            seen += [item["patient_id"] for item in page["items"]]
            if page["next_after"] is None:
                break
            after = {"after": page["next_after"]}

    assert sorted(seen) == sorted(id_of(f"patient {n}") for n in range(7))


async def test_the_service_is_idle_when_all_is_read_and_published(records: Running) -> None:
    service = await records.start()
    await records.write(patient(), provider(), appointment())
    await records.done()

    async def idle() -> bool:
        return (await service.health.clock_state())["idle"] is True

    await until(idle)
    assert service.health.reasons() == {}
