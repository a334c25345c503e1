"""Main-file numbers at any size and under any crowd (D2, D4, D5), and patients registered many at once."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg

from booking.appointments.store import PostgresStore
from booking.door.domain import Client
from booking.patients.domain.main_files import LAST, number
from booking.patients.domain.patient import NOBODY
from booking.patients.domain.registrations import Registered, Registration
from booking.patients.handle import Rules, register_people
from tests.support.booking.door import Door, booking, opened
from tests.support.installation import Installation

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
YEAR = datetime.now(UTC).year


async def have(base: Installation, year: int, first: int, last: int) -> None:
    """Let patients have these numbers of the year, as upstream issued them: the counter does not know."""
    admin = await asyncpg.connect(base.admin_url)
    try:
        await admin.execute(
            "INSERT INTO booking.patient (patient_id, version, main_file) "
            "SELECT uuidv7(), 1, 'FILE-' || $1::text || '-' || lpad(n::text, 6, '0') "
            "FROM generate_series($2::int, $3) n",
            str(year),
            first,
            last,
        )
        await admin.execute("ANALYZE booking.patient")
    finally:
        await admin.close()


async def put_all(door: Door, *patients: dict[str, Any]) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = (await door.put("/v1/patients", {"patients": list(patients)}))["results"]
    return results


def ordinals(results: list[dict[str, Any]]) -> list[int]:
    return [int(result["main_file"][10:]) for result in results]


async def test_d4_a_registration_reads_no_more_the_more_patients_there_are(door: Door, base: Installation) -> None:
    await have(base, 2027, 1, 20_000)
    await door.pool.execute("INSERT INTO main_file_counter VALUES (2027, 20000)")
    query = "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relname = 'patient'"
    async with door.pool.acquire() as connection, connection.transaction():
        before = await connection.fetchval(query)
        told = Registration(("local", "bob"), NOBODY, {}, Client("local", ("local",)))
        (bob,) = await register_people(PostgresStore(connection), [told], NOW, Rules())
        read = await connection.fetchval(query) - before
    assert isinstance(bob, Registered)
    assert bob.patient.main_file == "FILE-2027-020001"
    assert read < 10


async def test_d4_a_block_that_upstream_issued_is_stepped_over_and_leaves_no_gap(
    door: Door, base: Installation
) -> None:
    await have(base, YEAR, 3, 5_000)
    await have(base, YEAR, 5_002, 5_002)
    results = [await door.put(f"/v1/patients/p{n}", {}) for n in range(5)]
    assert ordinals(results) == [1, 2, 5_001, 5_003, 5_004]
    assert await door.pool.fetchval("SELECT last FROM main_file_counter") == 5_004


async def test_many_patients_are_registered_at_once_each_with_its_answer(door: Door) -> None:
    results = await put_all(
        door, {"id": "p1", "given_name": "Ann"}, {"id": "p2", "mobile": "call me"}, {"id": "p3"}, {"given_name": "No"}
    )

    assert [result["status"] for result in results] == [200, 422, 200, 422]
    assert [result.get("id") for result in results] == ["p1", "p2", "p3", None]
    assert (results[1]["code"], results[1]["place"], results[3]["code"]) == ("BAD_PHONE", "mobile", "MISSING_FIELD")
    assert ordinals([results[0], results[2]]) == [1, 2]
    assert await door.pool.fetchval("SELECT count(*) FROM patient") == 2
    assert await put_all(door, {"id": "p3"}, {"id": "p1", "given_name": "Ann"}) == [results[2], results[0]]
    assert await door.pool.fetchval("SELECT count(*) FROM outbox WHERE topic = 'patients'") == 2


async def test_d4_a_thousand_patients_have_numbers_in_the_order_told(door: Door) -> None:
    results = await put_all(door, *({"id": f"p{n}"} for n in range(1_000)))
    assert ordinals(results) == list(range(1, 1_001))


async def test_of_a_patient_told_of_twice_in_a_batch_the_last_word_counts(door: Door) -> None:
    results = await put_all(door, {"id": "p1", "given_name": "Ann"}, {"id": "p1", "given_name": "Anna"})
    assert [(result["version"], result["main_file"][10:]) for result in results] == [(1, "000001")] * 2
    assert await door.pool.fetchval("SELECT given_name FROM patient") == "Anna"


async def test_d4_numbers_brought_along_are_for_the_first_who_brings_them_and_are_not_issued_again(
    door: Door,
) -> None:
    brought = f"FILE-{YEAR}-000002"
    results = await put_all(
        door,
        {"id": "p1"}, {"id": "p2", "main_file": brought}, {"id": "p3", "main_file": brought}, {"id": "p4"},
        {"id": "p1", "main_file": f"FILE-{YEAR}-000009"}, {"id": "p5", "main_file": "FILE-1999-000007"}, {"id": "p6"},
    )  # fmt: skip

    codes = [result.get("code") for result in results]
    assert codes == [None, None, "MAIN_FILE_TAKEN", None, None, None, None]
    assert [result["main_file"][5:] for result in results if "main_file" in result] == [
        f"{YEAR}-000009", f"{YEAR}-000002", f"{YEAR}-000001", f"{YEAR}-000009", "1999-000007",
        f"{YEAR}-000003",
    ]  # fmt: skip
    held = await door.pool.fetch("SELECT source_id FROM patient_alias JOIN patient USING (patient_id)")
    assert sorted(row["source_id"] for row in held) == ["p1", "p2", "p4", "p5", "p6"]
    fixed = (await put_all(door, {"id": "p2", "main_file": f"FILE-{YEAR}-000003"}))[0]
    assert (fixed["status"], fixed["code"]) == (409, "MAIN_FILE_FIXED")


async def test_what_is_no_batch_of_patients_is_refused_whole(door: Door) -> None:
    before = await door.counts()
    for body, status, code in (
        ([], 422, "EMPTY_BATCH"),
        ({"patients": []}, 422, "EMPTY_BATCH"),
        ({"patients": "p1"}, 422, "WRONG_TYPE"),
        ("p1", 422, "WRONG_TYPE"),
        ([{"id": f"p{n}"} for n in range(1_001)], 413, "BATCH_TOO_LARGE"),
        (b"[", 400, "TRUNCATED_JSON"),
    ):
        answer = await door.ask("PUT", "/v1/patients", body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    odd = await put_all(door, *({"id": name} for name in ("a\nb", " a", "")), {"given_name": 1}, {"id": 7})
    assert [(one["status"], "id" in one) for one in odd] == [(422, False)] * 5
    assert await door.counts() == before


async def test_d4_numbers_have_no_gaps_when_crowds_come_one_by_one_and_in_batches(door: Door) -> None:
    taken = ({"id": f"t{n}", "main_file": f"FILE-{YEAR}-{n:06d}"} for n in range(10, 200, 20))
    singles = (put_all(door, {"id": f"s{n}"}) for n in range(60))
    batches = (put_all(door, *({"id": f"b{n}-{k}"} for k in range(40))) for n in range(5))
    results = await asyncio.gather(*singles, put_all(door, *taken), *batches)

    got = [one for result in results for one in result if one["status"] == 200]
    assert len(set(ordinals(got))) == len(got)
    assert set(range(1, 261)) <= set(ordinals(got))
    last = await door.pool.fetchval("SELECT last FROM main_file_counter")
    assert set(range(1, last + 1)) <= set(ordinals(got))


async def test_d2_the_last_numbers_of_a_year_go_to_the_first_of_a_batch(door: Door) -> None:
    await door.pool.execute("INSERT INTO main_file_counter VALUES ($1, $2)", YEAR, LAST - 2)
    results = await put_all(door, *({"id": f"p{n}"} for n in range(4)))
    assert [result.get("code") for result in results] == [None, None, "MAIN_FILE_EXHAUSTED", "MAIN_FILE_EXHAUSTED"]
    assert results[1]["main_file"] == number(YEAR, LAST)
    assert await door.pool.fetchval("SELECT count(*) FROM patient") == 2


async def test_r7_a_booking_goes_on_when_the_year_has_no_number_left(base: Installation) -> None:
    async with opened(base, register_on_booking=True) as door:
        await door.pool.execute("INSERT INTO main_file_counter VALUES ($1, $2)", YEAR, LAST - 1)
        results = (await door.post([booking(f"e{n}", f"v{n}", patient={"id": f"p{n}"}) for n in range(3)]))["results"]

        assert [result["result"] for result in results] == ["applied"] * 3
        assert await door.pool.fetchval("SELECT count(*) FROM patient WHERE main_file IS NULL") == 2
        await door.pool.execute("UPDATE main_file_counter SET last = 0")  # as a year later
        await door.post([booking(f"f{n}", f"v{n}", patient={"id": f"p{n}"}, service_type="Scan") for n in range(3)])
        assert await door.pool.fetchval("SELECT count(*) FROM patient WHERE main_file IS NULL") == 0


async def test_a_registration_is_refused_field_by_field(door: Door) -> None:
    wrong = {"mobile": "020 7946 0018", "country": "GB", "email": "jos\u00e9@example.org", "given_name": "A\nB"}
    answer = await door.ask("PUT", "/v1/patients/ann", wrong)
    assert (answer.status_code, answer.json()["code"]) == (422, "CONTROL_CHARACTER")
    first, *others = answer.json()["errors"]
    assert first == {"place": "given_name", "code": "CONTROL_CHARACTER"}
    assert [(one["place"], one["code"]) for one in others] == [
        ("mobile", "NOT_A_MOBILE"),
        ("email", "UNREACHABLE_EMAIL"),
    ]
    assert all(one["detail"] for one in others)
