"""How the listener of MLLP is put together: a process of its own. What it writes is published by those of `run`."""

import asyncio
import ipaddress
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from booking.appointments.counts import AnswerCounts
from booking.appointments.intake import CommandIntake
from booking.door import client_keys
from booking.door.domain import Client
from booking.door.transactions import Transactions
from booking.formats.hl7v2.batches import split
from booking.formats.hl7v2.door import Hl7Door
from booking.formats.taking import Taking
from booking.merges.intake import MergeIntake
from booking.mllp.connection import TOGETHER, Patience
from booking.mllp.counts import MllpCounts
from booking.mllp.encryption import Encryption
from booking.mllp.peers import Peers
from booking.mllp.server import Listener
from booking.owned import OWNED
from booking.patients.intake import RegistrationIntake
from booking.profiles.current import CurrentProfiles, Profiles
from booking.settings import Settings
from booking.values.refusals import Refused
from booking.wiring.choices import rules_of
from chassis.api.operations import listeners
from chassis.api.remembered_keys import RememberedKeys
from chassis.delivery import high_water
from chassis.postgres import migrator
from chassis.postgres.clock_check import AgreedClock, DatabaseClockCheck
from chassis.postgres.database import Pool, create_pool
from chassis.process.clock import Clock, clock_from
from chassis.process.errors import Misconfigured, Unavailable
from chassis.process.health import Health
from chassis.process.metrics import Metrics
from chassis.process.parts import LISTENERS, Run, run_all

SERVICE = "booking"
POOL_SIZE = 6
"""Connections: two gathered transactions, the client, the profiles, the clocks, one to spare."""
PART = "mllp"


class MllpDoor:
    """The door of HL7 v2 for connections: what comes over them has the rights of one client.

    Args:
        client: Who that is, as of a moment ago; None while there is none.
    """

    def __init__(self, door: Hl7Door, client: Callable[[], Awaitable[Client | None]]) -> None:
        self._door, self._client = door, client

    async def answer_all(self, messages: Sequence[bytes], source: str | None) -> Sequence[bytes]:
        """See `Door`. A frame that holds a batch is answered by as many acknowledgements, one behind the other.

        Raises:
            Unavailable: UNKNOWN_CLIENT: there is no such client, or its rights were taken back.
        """
        client = await self._client()
        if client is None:
            raise Unavailable("UNKNOWN_CLIENT", "BOOKING_MLLP_CLIENT names no client that has rights")
        frames = [split(message) for message in messages]
        answers = iter(await self._door.answer_all([one for frame in frames for one in frame], client, source))
        return [b"".join(next(answers) for _ in frame) for frame in frames]

    def refused(self, message: bytes, why: Refused) -> bytes:
        """See `Door`."""
        return self._door.refused(message, why)

    def later(self, message: bytes) -> bytes:
        """See `Door`."""
        return self._door.later(message)


def new_id() -> str:
    """Return the control id of an acknowledgement: 20 characters at most, as every version takes."""
    return uuid.uuid4().hex[:20]


@dataclass(frozen=True)
class Listening:
    """The running parts of one process.

    Attributes:
        pool: Connections of its own.
    """

    settings: Settings
    pool: Pool
    listener: Listener
    profiles: CurrentProfiles
    clocks: DatabaseClockCheck
    ends: high_water.Ends
    health: Health
    metrics: Metrics

    async def run(self, stop: asyncio.Event) -> None:
        """Take messages until `stop` is set or a part fails."""
        parts: dict[str, Run] = {
            PART: partial(self.listener.serve, self.settings.mllp_host, self.settings.mllp_port),
            "profiles": self.profiles.run,
            "clocks": self.clocks.run,
            high_water.PART: self.ends.run,
            **listeners(self.settings, self.health, self.metrics),
        }
        await run_all(stop, self.health, parts, vital=(*LISTENERS, PART, high_water.PART))


@asynccontextmanager
async def build(settings: Settings) -> AsyncIterator[Listening]:
    """Give the whole process, connected and checked but not yet listening.

    Raises:
        Misconfigured: A setting is missing or opens the door to everybody, the schema is not as this version needs it,
            or the database is behind its topics; says how to mend it.
    """
    client_id, tls = _checked(settings), _encryption(settings)
    clock, metrics = clock_from(settings.clock_file), Metrics(SERVICE)
    pool = await create_pool(settings.database_url.get_secret_value(), SERVICE, min_size=2, max_size=POOL_SIZE)
    try:
        await migrator.check(pool, SERVICE, SERVICE)
        ends = high_water.Ends(pool, settings, SERVICE, OWNED)
        await ends.compare()
        clocks, profiles = DatabaseClockCheck(pool, clock), CurrentProfiles(pool)
        await clocks.compare()
        await profiles.refresh()
        door = door_of(settings, pool, AgreedClock(clock, clocks), profiles, metrics, client_id)
        health, counts = Health(SERVICE, clock), MllpCounts(metrics)
        peers = Peers(settings.mllp_allow, settings.mllp_sources)
        listener = Listener(door, counts, peers, patience_of(settings), tls)
        clocks.watch(health)
        _tell(health, listener)
        yield Listening(settings, pool, listener, profiles, clocks, ends, health, metrics)
    finally:
        await pool.close()


def door_of(
    settings: Settings, pool: Pool, clock: Clock, profiles: Profiles, metrics: Metrics, client_id: str
) -> MllpDoor:
    """Return what takes the messages; it needs PostgreSQL only."""
    counts = AnswerCounts(metrics)
    # Whoever runs the relays finds what is committed here by himself, 50 ms later at most: there is nobody to wake.
    transactions = Transactions(pool, clock, lambda: None, counts.refusals)
    # Each connection waits for its answer before it reads on, so what waits is bounded by how many there may be.
    most_waiting = settings.mllp_max_connections * TOGETHER
    intake = CommandIntake(transactions, rules_of(settings), counts, most_waiting=most_waiting)

    async def look_up(_: str) -> Client | None:
        async with pool.acquire() as connection:
            return (await client_keys.by_id(connection, [client_id])).get(client_id)

    client = partial(RememberedKeys(look_up).holder, client_id)
    people = RegistrationIntake(transactions, rules_of(settings))
    merging = MergeIntake(transactions, people)
    taking = Taking(transactions, rules_of(settings), intake, people, merging)
    return MllpDoor(Hl7Door(taking, profiles, clock, new_id, settings.default_country), client)


def patience_of(settings: Settings) -> Patience:
    """Return what the listener bears."""
    return Patience(
        connections=settings.mllp_max_connections,
        frame=settings.mllp_frame_bytes,
        half_frame_s=settings.mllp_half_frame_s,
        idle_s=settings.mllp_idle_s or None,
    )


def _checked(settings: Settings) -> str:
    rules_of(settings)
    if settings.mllp_client is None:
        raise Misconfigured("BOOKING_MLLP_CLIENT: missing; name the client whose rights what comes over MLLP has")
    if not (settings.mllp_allow or settings.mllp_tls_client_ca) and not _is_this_machine(settings.mllp_host):
        raise Misconfigured(
            "BOOKING_MLLP_HOST is reached from other machines and MLLP has no key: whoever connects would book; "
            "say who may, by BOOKING_MLLP_ALLOW or BOOKING_MLLP_TLS_CLIENT_CA"
        )
    return settings.mllp_client


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _encryption(settings: Settings) -> Encryption | None:
    if settings.mllp_tls_certificate is None:
        return None
    return Encryption(settings.mllp_tls_certificate, settings.mllp_tls_key, settings.mllp_tls_client_ca)


def _tell(health: Health, listener: Listener) -> None:
    async def connections() -> int:
        return listener.connections

    async def oldest_half_frame_s() -> float:
        return round(listener.oldest_s(), 3)

    health.add_status("connections", connections)
    health.add_status("oldest_half_frame_s", oldest_half_frame_s)
