"""Over an inbound topic each format's events are of the source that is meant, and read by its profile (0060)."""

from typing import Any

import orjson
import pytest

from booking.door.domain import Client
from booking.wiring import subscriptions
from chassis.delivery.replay import replay
from chassis.process.clock import RealClock
from schemas.topics import BOOKINGS_INBOUND
from tests.support.booking.door import Door, booking, opened_on_kafka, running, send_inbound, settings_on
from tests.support.booking.hl7 import header, schedule, siu
from tests.support.installation import Installation
from tests.support.waiting import until

BOUND = {BOOKINGS_INBOUND.name: "engine"}
HL7 = {"content_type": "application/hl7-v2"}
EPIC = {
    "zone": "America/New_York",
    "clinic": "EYE",
    "mode": "backfill",
    "country": "GB",
    "hl7v2": {"match": {"sending_application": ["RIS"], "sending_facility": ["EYE"]}},
}
WALL = schedule("20270312100000").replace("+0000", "")
FHIR = {
    "resourceType": "Appointment",
    "id": "F1",
    "status": "booked",
    "start": "2027-03-12T15:00:00Z",
    "participant": [{"actor": {"reference": "Patient/p1"}, "status": "accepted"}],
}


async def sent(
    door: Door, installation: Installation, key: str, *values: bytes, content_type: str = "application/json"
) -> None:
    await send_inbound(installation, *((key, value) for value in values), content_type=content_type)
    async with running(door):
        await until(door.service.consumer.idle)


async def profiled(door: Door, source: str, profile: dict[str, Any]) -> None:
    answer = await door.ask("PUT", f"/v1/sources/{source}/profile", {"profile": profile}, key="the operator's key")
    assert answer.status_code == 200, answer.text


CASES: dict[str, tuple[tuple[str, ...], str, bytes, dict[str, str]]] = {
    "HL7, by its sender": (("epic", "other"), "F1", siu(SCH=WALL), HL7),
    "HL7, of an only source": (("epic",), "F1", siu(SCH=WALL), HL7),
    "our JSON, that names it": (
        ("epic", "other"), "F1",
        orjson.dumps({**booking("e1", "F1", clinic=None, start="2027-03-12T10:00", end=None), "source": "epic"}), {},
    ),
    "our JSON, of an only source": (
        ("epic",), "F1", orjson.dumps(booking("e1", "F1", clinic=None, start="2027-03-12T10:00", end=None)), {}
    ),
    "FHIR, of an only source": (("epic",), "F1", orjson.dumps(FHIR), {"content_type": "application/fhir+json"}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
async def test_a_record_is_read_by_the_profile_of_the_source_that_is_meant(
    installation: Installation, case: str
) -> None:
    sources, key, value, headers = CASES[case]
    async with opened_on_kafka(installation, inbound_clients=BOUND) as door:
        await door.client(Client("engine", sources, may_register=True))
        await profiled(door, "epic", EPIC)
        await profiled(door, "other", {"zone": "Europe/London"})
        await sent(door, installation, key, value, **headers)
        rows = await door.pool.fetch("SELECT source, clinic_id, starts_at, mode FROM appointment")
        assert await door.pool.fetchval("SELECT string_agg(code, ' ') FROM dead_letter") is None
        (found,) = [(row["source"], row["clinic_id"], f"{row['starts_at']:%H:%M}", row["mode"]) for row in rows]
        assert found == ("epic", "EYE", "15:00", "backfill")


async def test_what_is_of_nobodys_visit_is_counted_and_is_no_dead_letter(installation: Installation) -> None:
    blocked = (siu("S23"), siu("S24", number="2"), siu("S12", "Blocked", "3", PID=""))
    order = header("O01", "4", kind="ORM").encode() + b"\r"
    async with opened_on_kafka(installation, inbound_clients=BOUND) as door:
        engine = await door.client(Client("engine", ("epic",), may_register=True, default_clinic="EYE"))
        await sent(door, installation, "B1", *blocked, order, **HL7)
        await sent(door, installation, "F1", siu(number="5"), **HL7)
        assert await door.pool.fetchval("SELECT string_agg(code, ' ') FROM dead_letter") == "UNSUPPORTED_MESSAGE"
        assert await door.pool.fetchval("SELECT count(*) FROM appointment") == 1
        told = (await door.look("/metrics")).text
        assert 'attend_booking_refusals_total{code="IGNORED_MESSAGE"} 3.0' in told
        rows = await door.pool.fetch("SELECT topic, partition, offsets FROM inbound_taken WHERE event_ids[1] IS NULL")
        places = [f"{topic}/{partition}/{one}" for topic, partition, offsets in rows for one in offsets]
        fates = [await door.ask("GET", f"/v1/inbound/records/{place}", key=engine) for place in places]
        assert [one.json()["result"] for one in fates] == ["ignored"] * 3


async def test_a_dead_letter_is_replayed_by_the_profile_that_its_source_has_by_then(
    installation: Installation,
) -> None:
    async with opened_on_kafka(installation, inbound_clients=BOUND) as door:
        await door.client(Client("engine", ("epic",), may_register=True))
        await sent(door, installation, "F1", siu(SCH=WALL), **HL7)
        assert await door.pool.fetchval("SELECT code FROM dead_letter") == "NAIVE_TIME"
        await profiled(door, "epic", EPIC)
        again = subscriptions(settings_on(installation, inbound_clients=BOUND), RealClock(), replayed=True)
        letter = await door.pool.fetchval("SELECT id FROM dead_letter")
        assert await replay(door.pool, again, installation.topic_prefix, letter) == "applied"
        starts_at = await door.pool.fetchval("SELECT starts_at FROM appointment")
        assert f"{starts_at:%H:%M}" == "15:00"
