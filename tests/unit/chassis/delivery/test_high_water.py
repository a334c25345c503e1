"""What a topic holds and its writer's database does not know (G2)."""

import asyncio
from collections.abc import Mapping, Sequence
from types import SimpleNamespace

import orjson
import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from pydantic import SecretStr

from chassis.delivery import high_water
from chassis.delivery.high_water import Published, newer
from chassis.process.errors import Misconfigured
from chassis.process.settings import ServiceSettings
from schemas.topics import CLINICS


@pytest.mark.parametrize(
    ("version", "held", "behind"), [(1, {}, True), (1, {"a": 1}, False), (1, {"a": 2}, False), (3, {"a": 2}, True)]
)
def test_only_a_version_above_the_held_one_is_news(version: int, held: dict[str, int], behind: bool) -> None:
    assert bool(newer([Published("here", "a", version)], held)) is behind


class Database:
    """A pool that knows versions."""

    def __init__(self, **held: int) -> None:
        self.held = held
        self.away = False
        self.asked: list[str] = []

    async def fetch(self, _statement: str, ids: Sequence[str]) -> list[tuple[str, int]]:
        self.asked += ids
        if self.away:
            raise OSError
        return [(one, self.held[one]) for one in ids if one in self.held]


class Topics:
    """The records that a broker gives, of one partition, from an offset on; it keeps what it was asked."""

    def __init__(self, *bodies: dict[str, object]) -> None:
        self.bodies = list(bodies)
        self.asked: list[int] = []

    async def read(self, after: Mapping[TopicPartition, int]) -> dict[TopicPartition, list[SimpleNamespace]]:
        first = max(after.get(PLACE, 0), len(self.bodies) - high_water.TAIL)
        self.asked.append(first)
        found = enumerate(self.bodies)
        return {
            PLACE: [
                SimpleNamespace(topic=PLACE.topic, partition=0, offset=offset, value=orjson.dumps(body))
                for offset, body in found
                if offset >= first
            ]
        }


PLACE = TopicPartition(CLINICS.name, 0)
SETTINGS = ServiceSettings(database_url=SecretStr("-"), kafka_bootstrap_servers="-", http_port=1, operations_port=2)


def said(clinic: str, version: int) -> dict[str, object]:
    return {"clinic_id": clinic, "version": version}


def ends_of(database: Database, topics: Topics) -> high_water.Ends:
    owned = high_water.Owned(CLINICS, "clinic_id", str, "")
    return high_water.Ends(database, SETTINGS, "booking", [owned], topics.read)  # type: ignore[arg-type]  # a fake pool


async def test_a_database_put_back_while_the_service_runs_is_seen_though_nothing_is_published() -> None:
    database, topics = Database(a=2), Topics(said("a", 1), said("a", 2))
    ends = ends_of(database, topics)
    await ends.compare()

    database.held["a"] = 1

    with pytest.raises(Misconfigured, match="version 2 of a"):
        await ends.compare()


async def test_a_version_published_meanwhile_is_compared_at_the_next_look() -> None:
    database, topics = Database(a=1), Topics(said("a", 1))
    ends = ends_of(database, topics)
    await ends.compare()

    topics.bodies.append(said("b", 1))

    with pytest.raises(Misconfigured, match=r"offset 1 holds version 1 of b"):
        await ends.compare()


async def test_a_look_reads_what_is_new_and_keeps_the_last_ones_only() -> None:
    database, topics = Database(**{f"c{n}": 1 for n in range(1_000)}), Topics(*(said(f"c{n}", 1) for n in range(999)))
    ends = ends_of(database, topics)
    await ends.compare()
    topics.bodies.append(said("c999", 1))
    await ends.compare()

    assert topics.asked == [999 - high_water.TAIL, 999]
    del database.held["c799"]  # long past
    await ends.compare()
    del database.held["c800"]
    with pytest.raises(Misconfigured, match="of c800"):
        await ends.compare()


async def test_the_running_service_looks_again_goes_on_while_a_server_is_away_and_ends_when_it_is_behind() -> None:
    database, topics = Database(a=1), Topics(said("a", 1))
    ends = ends_of(database, topics)
    database.away = True
    running = asyncio.create_task(ends.run(asyncio.Event(), every_s=0))
    async with asyncio.timeout(10):
        while len(topics.asked) < 3:  # noqa: ASYNC110  # another task's doing
            await asyncio.sleep(0)
    assert not running.done()

    database.away, database.held = False, {}

    with pytest.raises(Misconfigured):
        await running


async def test_the_looks_end_with_the_service() -> None:
    stop, topics = asyncio.Event(), Topics()
    stop.set()
    await ends_of(Database(), topics).run(stop, every_s=0)
    assert topics.asked == []


@pytest.mark.parametrize(
    "error", [KafkaError(), OSError(), UnicodeDecodeError("utf-8", b"", 0, 1, "-"), AssertionError(), KeyError()]
)
async def test_whatever_a_look_raises_only_a_database_that_is_behind_ends_the_service(error: Exception) -> None:
    class Failing(Topics):
        async def read(self, after: Mapping[TopicPartition, int]) -> dict[TopicPartition, list[SimpleNamespace]]:
            if len(self.asked) < 2:
                self.asked.append(0)
                raise error
            return await super().read(after)

    topics = Failing(said("a", 1))

    with pytest.raises(Misconfigured, match="version 1 of a"):
        await ends_of(Database(), topics).run(asyncio.Event(), every_s=0)

    assert len(topics.asked) == 3


async def test_an_id_that_postgresql_cannot_hold_is_none_of_ours() -> None:
    database = Database(a=1)

    await ends_of(database, Topics(said("\0", 1), said("a", 1))).compare()

    assert database.asked == ["a"]
