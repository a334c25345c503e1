"""D44 while instances of the release before still write: they audit no flag, and their versions do not say `barred`."""

from uuid import UUID

import asyncpg
import pytest

from tests.integration.booking.policies.policy import worked_off
from tests.integration.booking.safety.test_barred_patients import BARRED, booked, versions, visit
from tests.support.booking.door import Door
from tests.support.examples import ROOT

STEP = ROOT / "services/booking/src/booking/migrations/0034_versions_of_the_release_before_flags.sql"
DECEASED = {"deceased": True}


async def patient(door: Door, name: str) -> UUID:
    found: UUID = await door.pool.fetchval("SELECT patient_id FROM patient_alias WHERE source_id = $1", name)
    return found


async def flag_as_before(door: Door, *patients: UUID, name: str = "deceased", value: bool = True) -> None:
    """Write a flag as the release before does: no audit of it."""
    await door.pool.execute(f"UPDATE patient SET {name} = $2 WHERE patient_id = ANY ($1)", patients, value)  # noqa: S608


async def next_as_before(door: Door, *visits: str, under: UUID | None = None) -> None:
    """Give visits their next version as the release before does: it names no column `barred`."""
    async with door.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "UPDATE appointment SET version = version + 1, caused_by = 'local/moved',"
            " patient_id = coalesce($2, patient_id) WHERE appointment_id = ANY ($1::text[]::uuid[])", visits, under,
        )  # fmt: skip
        await connection.execute(
            "INSERT INTO appointment_history (appointment_id, version, snapshot)"
            " SELECT appointment_id, version + 1,"
            " (snapshot::jsonb - 'barred' ||"
            " jsonb_build_object('version', version + 1, 'caused_by', 'local/moved'))::text"
            " FROM appointment_history h WHERE appointment_id = ANY ($1::text[]::uuid[]) AND version ="
            " (SELECT max(version) FROM appointment_history m WHERE m.appointment_id = h.appointment_id)",
            visits,
        )


async def merge_as_before(door: Door, away: UUID, into: UUID) -> None:
    """Link two files as the release before does: the one who is kept gets none of the other's flags."""
    async with door.pool.acquire() as connection, connection.transaction():
        await connection.execute("UPDATE patient SET merged_into = $2 WHERE patient_id = $1", away, into)
        await connection.execute(
            "INSERT INTO patient_merge (patient_id, merged_into, source, source_id, merged_at, merged_by, reason)"
            " VALUES ($1, $2, 'local', 'double', now(), 'local', NULL)", away, into,
        )  # fmt: skip


async def jobs(door: Door) -> int:
    found: int = await door.pool.fetchval("SELECT count(*) FROM patient_reissue")
    return found


async def cause(door: Door, appointment_id: str) -> str:
    found: str = (await door.ask("GET", f"/v1/appointments/{appointment_id}")).json()["current"]["caused_by"]
    return found


async def test_d44_a_flag_set_and_lifted_by_the_release_before_is_looked_after(door: Door) -> None:
    anns, bobs, cids = await booked(door, visit("anns"), visit("bobs", "bob"), visit("cids", "cid"))
    ann, bob = await patient(door, "ann"), await patient(door, "bob")

    await flag_as_before(door, ann, bob)
    await worked_off(door)
    assert await versions(door, anns, bobs, cids) == [(2, "DECEASED"), (2, "DECEASED"), (1, None)]
    assert await cause(door, anns) == f"patient/{ann}"

    await flag_as_before(door, ann, value=False)
    await worked_off(door)
    assert await versions(door, anns, bobs) == [(3, None), (2, "DECEASED")]


async def test_d44_a_flag_of_this_release_that_the_one_before_lifts_lets_the_visit_be_reminded(door: Door) -> None:
    """What was audited is the cause of what it says, not of the change after it."""
    (one,) = await booked(door, visit("v1"))
    await door.put("/v1/patients/ann", DECEASED)
    await worked_off(door)
    assert await cause(door, one) == "local/registration"

    ann = await patient(door, "ann")
    await flag_as_before(door, ann, value=False)
    await worked_off(door)
    assert await versions(door, one) == [(3, None)]
    assert await cause(door, one) == f"patient/{ann}"


@pytest.mark.parametrize("change", [{"given_name": "'Anna'"}, {"deceased": "deceased"}, {"merged_into": "patient_id"}])
async def test_d44_what_is_written_of_a_patient_and_changes_no_flag_opens_no_job(
    door: Door, change: dict[str, str]
) -> None:
    await booked(door, visit("v1"))
    ((name, value),) = change.items()
    await door.pool.execute(f"UPDATE patient SET {name} = {value}")  # noqa: S608  # of this file
    assert await jobs(door) == 0


async def test_d44_a_version_of_the_release_before_that_does_not_say_so_gets_a_next_one_that_does(door: Door) -> None:
    await door.put("/v1/patients/ann", BARRED)
    anns, more, bobs = await booked(door, visit("anns"), visit("more"), visit("bobs", "bob"))
    await worked_off(door)

    await next_as_before(door, anns, more, bobs)
    assert await jobs(door) == 1
    await worked_off(door)

    assert await versions(door, anns, more, bobs) == [(3, "DO_NOT_CONTACT")] * 2 + [(2, None)]
    assert await cause(door, anns) == "local/moved"


async def test_d44_a_version_of_the_release_before_says_of_who_may_be_written_to_what_is_so(door: Door) -> None:
    """That it was not said is no other thing said: a job about its patient finds nothing to tell."""
    (one,) = await booked(door, visit("v1"))
    await next_as_before(door, one)
    await door.put("/v1/patients/ann", BARRED)
    await door.put("/v1/patients/ann", {"do_not_contact": False})
    await worked_off(door)
    assert (await versions(door, one))[0][0] == 2


async def test_d44_a_version_of_this_release_opens_no_job(door: Door) -> None:
    await door.put("/v1/patients/ann", BARRED)
    await worked_off(door)
    await booked(door, visit("anns"), visit("bobs", "bob"))
    await booked(door, {**visit("anns", days=4), "event_id": "moved"})
    assert await jobs(door) == 0


async def test_d44_a_merge_by_the_release_before_bars_the_visits_it_left_behind(door: Door) -> None:
    await door.put("/v1/patients/ann", DECEASED)
    (one,) = await booked(door, visit("v1", "double"))
    await worked_off(door)

    await merge_as_before(door, await patient(door, "double"), await patient(door, "ann"))
    await worked_off(door)

    assert await versions(door, one) == [(2, "DECEASED")]
    assert await cause(door, one) == "local/merge/double"


async def test_d44_a_version_under_the_id_of_who_was_merged_away_says_what_is_so_of_who_is_kept(door: Door) -> None:
    (one,) = await booked(door, visit("v1", "double"))
    double, ann = await patient(door, "double"), (await door.put("/v1/patients/ann", DECEASED))["patient_id"]
    await merge_as_before(door, double, UUID(ann))
    await worked_off(door)
    await next_as_before(door, one, under=double)
    await worked_off(door)
    assert await versions(door, one) == [(4, "DECEASED")]


async def test_d44_whom_the_release_before_had_barred_is_looked_after_from_the_step_on(door: Door) -> None:
    """His own visits, and one that a merge had left under the id of who was merged away."""
    anns, doubles, bobs = await booked(door, visit("anns"), visit("doubles", "double"), visit("bobs", "bob"))
    await door.put("/v1/patients/cid", {})
    await flag_as_before(door, await patient(door, "ann"), await patient(door, "cid"))
    await merge_as_before(door, await patient(door, "double"), await patient(door, "cid"))
    await door.pool.execute("DELETE FROM patient_reissue")  # there was none before the step

    step = STEP.read_text()
    await door.pool.execute(step[step.index("INSERT INTO patient_reissue (patient_id, caused_by)\nSELECT p.") :])
    await worked_off(door)

    assert await versions(door, anns, doubles, bobs) == [(2, "DECEASED"), (2, "DECEASED"), (1, None)]


async def test_d44_the_services_role_opens_jobs_before_it_has_a_right_to_the_table(
    door: Door, admin: asyncpg.Connection
) -> None:
    """Rights are given after all steps: until then a process of the release before writes on."""
    await door.put("/v1/patients/ann", BARRED)
    (one,) = await booked(door, visit("v1"))
    await admin.execute("REVOKE ALL ON patient_reissue, safety_change, patient_merge FROM attend_booking")
    await next_as_before(door, one)
    await flag_as_before(door, await patient(door, "ann"))
    assert await admin.fetchval("SELECT count(*) FROM patient_reissue") >= 2
