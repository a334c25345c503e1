"""Addresses under keys (decision 0023): what older versions kept holds beside them and after them; no hash stays."""

from hashlib import sha256

import pytest

from chassis.process.errors import Misconfigured
from notifier.address_keys.backfill import Rekeying
from schemas.appointments import Appointment
from tests.support.installation import ADDRESS_PEPPER
from tests.support.notifier.callbacks import secrets, sms
from tests.support.notifier.running import RunningNotifier

pytestmark = pytest.mark.integration

NEWER = "another one that is as long as it has to be"
# What an instance of the version before this one says.
OLD_STOP = """
INSERT INTO opt_out (channel, address_sha256, category, since, caused_by)
SELECT channel, $1, category, now(), 'older' FROM unnest(ARRAY['sms', 'whatsapp']) AS channel
CROSS JOIN unnest(ARRAY['reminders', 'notices']) AS category ON CONFLICT DO NOTHING"""
OLD_START = "DELETE FROM opt_out WHERE address_sha256 = $1"
OLD_LOOK = "SELECT count(*) FROM opt_out WHERE address_sha256 = $1"
OVERLAP = "INSERT INTO address_overlap (until) VALUES (clock_timestamp() + interval '1 hour')"
OVERLAP_ENDS = "UPDATE address_overlap SET until = clock_timestamp() - interval '1 s'"


def plain(address: str) -> bytes:
    return sha256(address.lower().encode()).digest()


async def reminded_by(notifier: RunningNotifier, visit: Appointment) -> str:
    """Hand a reminder over; return the channel that took it."""
    await notifier.due(visit)
    row = await notifier.settled(visit, "reminder", "accepted")
    return str(row["lane"])


async def stopped(notifier: RunningNotifier, address: str) -> int:
    answer = await notifier.ask("POST", "/v1/opt-outs/look-up", json={"address": address})
    return len(answer.json()["items"])


async def hashes(notifier: RunningNotifier) -> int:
    """Return how many rows still tell a plain hash."""
    tables = ("opt_out", "opt_out_history", "reply", "attempt")
    counts = [await notifier.pool.fetchval(f"SELECT count(address_sha256) FROM {table}") for table in tables]  # noqa: S608
    return sum(counts)


async def test_an_opt_out_of_an_older_version_holds_from_the_start_and_loses_its_hash(
    notifier: RunningNotifier,
) -> None:
    patient = await notifier.patient()
    mobile = await notifier.address(patient, "mobile")
    await notifier.pool.execute(OLD_STOP, plain(mobile))
    await notifier.pool.execute(
        "INSERT INTO opt_out_history VALUES ('sms', $1, 'reminders', true, now(), 'older')", plain(mobile)
    )

    await notifier.start(**secrets())

    assert await reminded_by(notifier, await notifier.book(patient)) == "email"
    await Rekeying(notifier.pool, notifier.peppers).round()
    assert await hashes(notifier) == 0
    assert await stopped(notifier, mobile) == 4
    key = notifier.peppers.of(mobile).key
    assert {row[0] for row in await notifier.pool.fetch("SELECT address_key FROM opt_out_history")} == {key}
    assert (await sms(notifier, mobile, "START")).status_code == 200
    assert await stopped(notifier, mobile) == 0
    assert await reminded_by(notifier, await notifier.book(patient)) == "sms"


async def test_while_both_versions_run_a_stop_and_a_start_at_either_hold_at_both(notifier: RunningNotifier) -> None:
    await notifier.pool.execute(OVERLAP)
    patient = await notifier.patient()
    mobile = await notifier.address(patient, "mobile")
    await notifier.start(**secrets())

    await sms(notifier, mobile, "STOP", sid="SM-1")
    assert await notifier.pool.fetchval(OLD_LOOK, plain(mobile)) == 4
    await notifier.pool.execute(OLD_START, plain(mobile))
    assert await stopped(notifier, mobile) == 0
    await notifier.pool.execute(OLD_STOP, plain(mobile))
    assert await stopped(notifier, mobile) == 4
    assert await reminded_by(notifier, await notifier.book(patient)) == "email"
    await sms(notifier, mobile, "STOP", sid="SM-2")
    await sms(notifier, mobile, "START", sid="SM-3")
    assert await notifier.pool.fetchval(OLD_LOOK, plain(mobile)) == 0
    await sms(notifier, mobile, "STOP", sid="SM-4")

    rekeying = Rekeying(notifier.pool, notifier.peppers)
    await rekeying.round()
    assert await notifier.pool.fetchval(OLD_LOOK, plain(mobile)) == 4
    await notifier.pool.execute(OVERLAP_ENDS)
    await rekeying.round()
    assert await hashes(notifier) == 0
    assert await stopped(notifier, mobile) == 4


async def test_an_older_instance_that_stops_after_its_time_is_heard_too(notifier: RunningNotifier) -> None:
    await notifier.start(lanes=(), **secrets())
    mobile = "+442071839991"
    await sms(notifier, mobile, "STOP")

    await notifier.pool.execute(OLD_STOP, plain(mobile))
    rekeying = Rekeying(notifier.pool, notifier.peppers)
    await rekeying.round()
    again = await rekeying.round()

    assert await notifier.pool.fetchval("SELECT count(*) FROM opt_out") == await stopped(notifier, mobile) == 4
    assert await hashes(notifier) == 0
    assert not any(again.values())


async def test_a_new_installation_never_keeps_a_hash(notifier: RunningNotifier) -> None:
    patient = await notifier.patient()
    mobile = await notifier.address(patient, "mobile")
    await notifier.start(**secrets())

    assert await reminded_by(notifier, await notifier.book(patient)) == "sms"
    await sms(notifier, mobile, "STOP")

    assert await hashes(notifier) == 0
    assert await notifier.pool.fetchval("SELECT count(*) FROM address_overlap") == 0


async def test_after_a_rotation_what_was_stopped_before_holds_and_can_be_lifted(notifier: RunningNotifier) -> None:
    patient = await notifier.patient()
    mobile = await notifier.address(patient, "mobile")
    await notifier.pool.execute(
        "INSERT INTO opt_out (channel, address_key, category, since, caused_by) "
        "VALUES ('sms', $1, 'reminders', now(), 'x')",
        notifier.peppers.of(mobile).key,
    )
    await notifier.start(**secrets(address_pepper=f"{NEWER},{ADDRESS_PEPPER}"))

    assert await reminded_by(notifier, await notifier.book(patient)) == "email"
    await sms(notifier, mobile, "STOP", sid="SM-1")
    assert await stopped(notifier, mobile) == 4
    await sms(notifier, mobile, "START", sid="SM-2")
    assert await stopped(notifier, mobile) == 0


async def test_without_a_secret_that_was_written_with_nothing_starts(notifier: RunningNotifier) -> None:
    await notifier.start(lanes=(), **secrets())

    with pytest.raises(Misconfigured, match="lacks 1 of the secrets"):
        await notifier.start(fanout=False, address_pepper=NEWER)
    with pytest.raises(Misconfigured, match="NOTIFIER_ADDRESS_PEPPER"):
        await notifier.start(fanout=False, address_pepper="")
    await notifier.start(fanout=False, lanes=(), address_pepper=f"{NEWER}, {ADDRESS_PEPPER}")
