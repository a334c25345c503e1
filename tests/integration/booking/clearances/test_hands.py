"""A word that names no patient counts for him whose visit it was as it was said: on PostgreSQL, at every door."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from chassis.process.clock import StillClock
from schemas.topics import CLEARANCES_INBOUND
from tests.integration.booking.clearances.words import MRI, NOW, consent, lacks, paid, required, said, visit
from tests.support.booking.door import Door, booking, opened_on_kafka, running
from tests.support.installation import Installation
from tests.support.waiting import until

HOUR = timedelta(hours=1)
BEFORE, AFTER = "2027-03-11T09:30:00Z", "2027-03-11T10:30:00Z"
LOOKED_AT = NOW + 2 * HOUR
PAID = {"kind": "financial"}


def move(door: Door, to: datetime) -> None:
    assert isinstance(door.clock, StillClock)
    door.clock.move(to)


async def give(door: Door, event_id: str, patient: str) -> None:
    """Give the visit to a patient."""
    assert (await door.post(booking(event_id, patient={"id": patient})))["result"] == "applied"


async def given_to_ben(door: Door) -> str:
    """Return the path of Ann's visit, which was given to Ben at 10:00; it is 11:00."""
    path = await visit(door)
    move(door, NOW + HOUR)
    await give(door, "swap", "ben")
    move(door, LOOKED_AT)
    return path


SIGNED_AFTER = {"signed_at": AFTER}
WORDS: list[tuple[str, dict[str, Any], str]] = [
    ("paid before", paid(said_at=BEFORE), "CONSENT_OF_ANOTHER"),
    ("paid as it was given", paid(said_at="2027-03-11T10:00:00Z"), "applied"),
    ("paid after", paid(said_at=AFTER), "applied"),
    ("paid, at no time", paid(), "applied"),
    ("signed before", consent(signed_at=BEFORE), "CONSENT_OF_ANOTHER"),
    ("signed before, by him", consent(signed_at=BEFORE, patient="ben"), "applied"),
    ("signed after", consent(**SIGNED_AFTER), "applied"),
    ("withdrawn before", consent(state="withdrawn", withdrawn_at=BEFORE), "CONSENT_OF_ANOTHER"),
    ("waived before", paid(state="waived", reason="poor", said_at=BEFORE), "CONSENT_OF_ANOTHER"),
]


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "in a list"])
@pytest.mark.parametrize(("body", "became"), [one[1:] for one in WORDS], ids=[one[0] for one in WORDS])
async def test_a_word_without_a_patient_is_his_whose_visit_it_was(
    door: Door, key: str, body: dict[str, Any], became: str, alone: bool
) -> None:
    await required(door, MRI, PAID)
    path = await given_to_ben(door)
    status = 422 if became.isupper() and alone else 200
    told = await said(door, path, body if alone else [body], key, status=status)
    one = told if alone else told["results"][0]
    one = one if alone or one["code"] else one["taken"]
    assert one.get("code") or one["result"] == became
    if became.isupper():
        assert (await door.ask("GET", f"{path}/clearances")).json()["history"] == []
        assert lacks((await door.ask("GET", path)).json()["standing"]) == [
            ("consent", "MISSING"), ("financial", "MISSING"),
        ]  # fmt: skip


async def test_what_the_first_one_took_back_late_does_not_clear_the_visit_that_is_his_again(
    door: Door, key: str
) -> None:
    await required(door, MRI)
    path = await visit(door)
    await said(door, path, consent(signed_at="2027-03-10T10:00:00Z"), key)
    move(door, NOW + HOUR)
    await give(door, "swap", "ben")
    move(door, LOOKED_AT)
    late = await said(door, path, consent("c-2", state="withdrawn", said_at=BEFORE), key)
    assert (late["result"], (await door.ask("GET", "/v1/visit-flags")).json()["items"]) == ("applied", [])
    await give(door, "back", "ann")
    assert lacks((await door.ask("GET", path)).json()["standing"]) == [("consent", "WITHDRAWN")]
    [*_, told] = await door.pool.fetch("SELECT value FROM outbox WHERE topic = 'clearances' ORDER BY id")
    ann = (await door.ask("GET", path)).json()["current"]["patient_id"]
    assert orjson.loads(told["value"])["patient_id"] == ann


async def test_what_was_said_while_it_was_his_the_first_time_counts_when_it_is_his_again(door: Door, key: str) -> None:
    await required(door, PAID)
    path = await given_to_ben(door)
    await give(door, "back", "ann")
    assert (await said(door, path, paid(said_at=BEFORE), key))["standing"]["is_cleared"]
    assert (await said(door, path, paid("p-2", said_at=AFTER), key, status=422))["code"] == "CONSENT_OF_ANOTHER"


async def merged(door: Door, away: str, into: str) -> None:
    answer = await door.ask("POST", f"/v1/patients/{away}/merge", {"into": {"id": into}})
    assert answer.status_code == 200, answer.text


async def test_who_was_merged_is_one_person_under_either_name_and_either_id(door: Door, key: str) -> None:
    """The visit has another patient's id by the merge, and is in the same hands."""
    for name in ("ann", "ben"):
        await door.put(f"/v1/patients/{name}", {"given_name": name})
    await required(door, MRI, PAID)
    path = await visit(door)
    was = (await door.ask("GET", path)).json()["current"]["patient_id"]
    await said(door, path, consent(), key)
    move(door, NOW + HOUR)
    await merged(door, "ann", "ben")
    move(door, LOOKED_AT)
    assert (await door.ask("GET", path)).json()["current"]["patient_id"] != was
    assert lacks((await door.ask("GET", path)).json()["standing"]) == [("financial", "MISSING")]
    assert (await said(door, path, paid(said_at=BEFORE), key))["standing"]["is_cleared"]
    assert (await said(door, path, paid("p-2", patient=was, reference="r"), key))["result"] == "applied"


@pytest.fixture
async def there(installation: Installation) -> AsyncIterator[Door]:
    async with opened_on_kafka(installation) as found:
        yield found


async def test_a_record_that_waited_while_the_visit_changed_hands_is_his_whose_it_was(
    there: Door, installation: Installation
) -> None:
    """It says no time of its own: it was said when it was sent."""
    path = f"/v1/appointments/{(await there.post(booking('b1')))['appointment_id']}"
    producer = AIOKafkaProducer(bootstrap_servers=installation.bootstrap)
    await producer.start()
    topic, sent = installation.topic_prefix + CLEARANCES_INBOUND.name, datetime.now(UTC)
    try:
        for event_id, more in (("nobodys", {}), ("bens", {"patient": "ben"})):
            word = {"kind": "identity", "state": "cleared", **more}
            value = orjson.dumps({"event_id": event_id, "appointment": {"id": "v1"}, "clearance": word})
            at = int((sent - HOUR).timestamp() * 1000)
            await producer.send_and_wait(topic, value, b"v1", 3, timestamp_ms=at)
    finally:
        await producer.stop()
    await give(there, "swap", "ben")
    async with running(there):
        await until(there.service.consumer.idle)
    fates = [
        (await there.ask("GET", f"/v1/inbound/records/{CLEARANCES_INBOUND.name}/3/{place}")).json() for place in (0, 1)
    ]
    assert [(one.get("code"), one["result"]) for one in fates] == [
        ("CONSENT_OF_ANOTHER", "refused"), (None, "applied"),
    ]  # fmt: skip
    held = (await there.ask("GET", f"{path}/clearances")).json()["current"]
    assert [one["kind"] for one in held] == ["identity"]
