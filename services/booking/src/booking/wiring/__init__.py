"""How booking is put together: the doors, formats, topics and jobs of one process, and what each of them is given."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import uuid4

from fastapi import APIRouter, FastAPI

from booking import retention
from booking.appointments import http as appointments_http
from booking.appointments.counts import AnswerCounts
from booking.appointments.intake import CommandIntake
from booking.asking import http as asking_http
from booking.clearances import http as clearances_http
from booking.clearances import policy_http as clearance_policy_http
from booking.clinics import http as clinics_http
from booking.desk import check_in_http
from booking.desk import http as desk_http
from booking.desk.intake import DeskIntake
from booking.door import auth
from booking.door.client_keys import Keys, check_operator
from booking.door.transactions import Transactions
from booking.formats import http as events_http
from booking.formats.calendars.format import ICalendar
from booking.formats.choice import Formats
from booking.formats.clearances import http as clearances_in_http
from booking.formats.clearances import messages as clearances_in
from booking.formats.fhir_r4 import http as fhir_http
from booking.formats.fhir_r4.format import FhirR4
from booking.formats.fhir_r4.outcomes import FHIR_OUTCOMES
from booking.formats.hl7v2 import http as hl7_http
from booking.formats.hl7v2.door import Hl7Door
from booking.formats.hl7v2.format import Hl7V2
from booking.formats.http import EventDoor
from booking.formats.lines.format import LinesOfJson
from booking.formats.maps import http as maps_http
from booking.formats.maps.explain import Explainer
from booking.formats.messages import Inbound, decode_of
from booking.formats.plain.format import PlainJson
from booking.formats.separated.format import SeparatedValues
from booking.formats.taking import Taking
from booking.inbound import http as inbound_http
from booking.inbound.domain import InboundTopics
from booking.merges import http as merges_http
from booking.merges.intake import MergeIntake
from booking.owned import OWNED
from booking.patients import http as patients_http
from booking.patients import read_http as patients_read_http
from booking.patients.intake import RegistrationIntake
from booking.patients.store import clinics_visited
from booking.policies import http as policies_http
from booking.profiles import http as profiles_http
from booking.profiles.current import CurrentProfiles, KeptProfiles, Profiles
from booking.providers import http as providers_http
from booking.reissues.job import ReissueCounts, Reissuer
from booking.replies.messages import PatientReplies
from booking.replies.messages import decode as decode_reply
from booking.safety import http as safety_http
from booking.settings import Settings
from booking.sources import http as sources_http
from booking.values.codes import CODES
from booking.wiring.choices import rules_of, runners_of
from booking.wiring.service import Service
from booking.work_list import http as work_list_http
from chassis.api.app import Bounds, create_api, operator
from chassis.delivery import high_water
from chassis.delivery.consumer import BatchConsumer, Subscription
from chassis.delivery.dead_letter import DeadLetter
from chassis.delivery.replay import replay
from chassis.kafka import topics
from chassis.outbox.relay import Relay
from chassis.postgres import migrator
from chassis.postgres.clock_check import AgreedClock, DatabaseClockCheck
from chassis.postgres.database import Pool, create_pool
from chassis.postgres.retention import Retention
from chassis.process.clock import Clock, RealClock, clock_from
from chassis.process.health import Health
from chassis.process.metrics import Metrics
from chassis.status import watch
from schemas.topics import APPOINTMENTS, CLEARANCES, CLINICS, PATIENT_REPLIES, PATIENTS, PROVIDERS

SERVICE = "booking"
POOL_SIZE = 14
"""Connections: a batch in flight for each topic, two relays, commands, health."""
READING_POOL_SIZE = 4
"""Connections of those who only read: however many ask how much, no booking waits for them."""
DRY_RUNS = 2
"""Dry runs of policies at once: each reads and plans a clinic's visits, for minutes where there are millions."""

_PLAIN, _FHIR = PlainJson(), FhirR4()
FORMATS = Formats(_PLAIN, _FHIR, Hl7V2(), SeparatedValues(), LinesOfJson(_PLAIN, _FHIR), ICalendar())
"""What upstream systems may write in. What names none of these is read as the first."""

REFERENCE = (PATIENTS, PROVIDERS, CLINICS)

DESCRIPTION = """
The door and the source of truth for appointments. Every answer 2xx is given after the commit; anything else may
be sent again as it is: the same event has one effect, and is answered `repeat` with the `original_result`.
Refusals are problems of RFC 9457 with a stable `code`, and OperationOutcomes under `/fhir`.
"""


def subscriptions(
    settings: Settings,
    clock: Clock,
    counts: AnswerCounts | None = None,
    formats: Formats = FORMATS,
    profiles: Profiles | None = None,
    *,
    replayed: bool = False,
) -> tuple[Subscription[Any], ...]:
    """Return what booking listens to, and what becomes of it; `replayed` is for dead letters.

    Args:
        profiles: Those that somebody keeps fresh; None: they are read with each batch.
    """
    unread = KeptProfiles() if profiles is None else None
    profiles = unread if profiles is None else profiles
    take = Inbound(clock, rules_of(settings), counts, replayed=replayed, unread=unread).apply
    inbound = (
        Subscription(topic, decode_of(client_id, formats, clock, profiles, replayed=replayed), take, own=False)
        for topic, client_id in settings.inbound
    )
    give = clearances_in.InboundClearances(clock, replayed=replayed).apply
    clearances = (
        Subscription(topic, clearances_in.decode_of(client_id, clock), give, own=False)
        for topic, client_id in settings.inbound_clearances
    )
    return (*inbound, *clearances, Subscription(PATIENT_REPLIES, decode_reply, PatientReplies(clock).apply))


@asynccontextmanager
async def build(settings: Settings, formats: Formats = FORMATS) -> AsyncIterator[Service]:
    """Give the whole service, connected and checked but not yet running.

    Raises:
        Misconfigured: The schema or a topic is not as this version needs it; says how to mend it.
    """
    rules_of(settings)  # what cannot be so is said before anything is asked for
    clock, metrics = clock_from(settings.clock_file), Metrics(SERVICE)
    await topics.check(
        settings.kafka_bootstrap_servers,
        (*(topic for topic, _ in settings.all_inbound), PATIENT_REPLIES, APPOINTMENTS, CLEARANCES, *REFERENCE),
        settings.topic_prefix,
    )
    url = settings.database_url.get_secret_value()
    pool = await create_pool(url, SERVICE, min_size=2, max_size=POOL_SIZE)
    reads = await create_pool(url, SERVICE, max_size=READING_POOL_SIZE)
    try:
        await migrator.check(pool, SERVICE, SERVICE)
        ends = high_water.Ends(pool, settings, SERVICE, OWNED)
        await ends.compare()
        await check_operator(pool, settings.operator_key_sha256)
        appointments = Relay(pool, settings, metrics, clock, [APPOINTMENTS, CLEARANCES])
        reference_data = Relay(
            pool, settings, metrics, clock, REFERENCE, transactional_id=f"{settings.topic_prefix}booking-reference"
        )

        def committed() -> None:
            appointments.wake()
            reference_data.wake()

        counts = AnswerCounts(metrics)
        clocks = DatabaseClockCheck(pool, clock)
        await clocks.compare()
        agreed = AgreedClock(clock, clocks)
        transactions = Transactions(pool, agreed, committed, counts.refusals)
        profiles = CurrentProfiles(pool)
        await profiles.refresh()
        listen = subscriptions(settings, agreed, counts, formats, profiles)
        consumer = BatchConsumer(SERVICE, settings, pool, listen, clock, metrics, on_commit=committed)
        health = Health(SERVICE, clock)
        clocks.watch(health)
        watch(health, metrics, pool, [consumer], [appointments, reference_data])
        pace = (settings.policy_reissue_per_s, settings.policy_reissue_batch)
        reissuer = Reissuer(transactions, ReissueCounts(metrics), *pace)
        health.add_idle("reissues", reissuer.idle)
        health.add_idle("events of reissues", appointments.idle)
        runners = runners_of(settings, pool, agreed, metrics)
        for runner in runners:
            runner.watch(health, appointments.idle)
        api = door(settings, transactions, counts, appointments.wake, reissuer.wake, reads, formats, profiles)
        relays = (appointments, reference_data)
        daily = Retention(pool, retention.jobs(settings), agreed, retention.AHEAD)
        yield Service(
            settings, pool, consumer, relays, reissuer, runners, daily, clocks, profiles, health, metrics, api, ends
        )
    finally:
        await reads.close()
        await pool.close()


def door(
    settings: Settings,
    transactions: Transactions,
    counts: AnswerCounts,
    booked: Callable[[], None] | None = None,
    policy_changed: Callable[[], None] = lambda: None,
    reads: Pool | None = None,
    formats: Formats = FORMATS,
    profiles: CurrentProfiles | None = None,
) -> FastAPI:
    """Return the API; it needs PostgreSQL only, so that bookings are taken while Kafka is away.

    Args:
        booked: Called after a commit that wrote appointments only, instead of what the transactions call.
        reads: Connections for what only reads; None: those of the commands.
        profiles: Read again by whoever runs the service; None: only as this door gives them.
    """
    reads = reads or transactions.pool
    profiles = profiles or CurrentProfiles(transactions.pool)
    keys, operator_key = Keys(transactions.pool), operator(settings)
    client, reader = auth.client_of(keys), auth.reader_of(keys, operator_key)
    admit, bounds = auth.admit_of(keys, operator_key), Bounds(body=settings.body_limit_bytes)
    api = create_api(
        "Attend booking", DESCRIPTION, admit=admit, bounds=bounds, codes=CODES, dialects={"/fhir": FHIR_OUTCOMES}
    )
    rules = rules_of(settings)
    intake = CommandIntake(transactions, rules, counts, booked)
    desk = DeskIntake(transactions, intake, reads)
    people = RegistrationIntake(transactions, rules)
    merging = MergeIntake(transactions, people)
    taking = Taking(transactions, rules, intake, people, merging)
    events = EventDoor(taking, transactions.counts, transactions.clock, profiles, settings.default_country)
    hl7 = Hl7Door(taking, profiles, transactions.clock, lambda: uuid4().hex, settings.default_country)
    explainer = Explainer(
        formats, profiles, reads, transactions.clock, rules.register_on_booking, settings.default_country
    )
    routers: Sequence[Any] = (
        events_http.routes(events, formats, client),
        patients_http.routes(transactions, reads, people, client, settings.default_country),
        patients_read_http.routes(reads, reader),
        providers_http.routes(transactions, client, reads, reader),
        clinics_http.routes(transactions, client, reads, reader, settings.default_country, profiles.refresh),
        merges_http.routes(transactions, client),
        asking_http.routes(reads, reader, auth.reader_of(keys, operator_key, fresh=True)),
        appointments_http.routes(reads, transactions.clock, reader),
        clearances_http.routes(transactions, reads, client, reader),
        clearance_policy_http.policy_routes(transactions, reads, reader),
        clearance_policy_http.kind_routes(transactions, reads, reader),
        desk_http.routes(desk, reader),
        check_in_http.routes(desk, reader),
        _inbound_routes(settings, transactions, reads, formats, profiles, reader),
        safety_http.routes(reads, reader, clinics_visited),
        profiles_http.routes(transactions, reads, reader, profiles.refresh),
        sources_http.routes(transactions, reads, reader),
        work_list_http.routes(transactions, reads, reader),
        appointments_http.ahead_routes(reads, transactions.clock, reader),
        policies_http.routes(transactions, reads, reader, policy_changed, DRY_RUNS),
        fhir_http.routes(events, client),
        hl7_http.routes(hl7, client),
        maps_http.routes(explainer, client),
        *clearances_in_http.routes(transactions, client),
    )
    for router in routers:
        api.include_router(router)
    return api


def unplugged() -> FastAPI:
    """Return the API with nothing behind it: to be described, not asked."""
    counts = AnswerCounts(Metrics(SERVICE))
    transactions = Transactions(cast("Pool", None), RealClock(), lambda: None, counts.refusals)
    return door(Settings.model_construct(), transactions, counts)


def _inbound_routes(
    settings: Settings,
    transactions: Transactions,
    reads: Pool,
    formats: Formats,
    profiles: Profiles,
    reader: auth.Caller,
) -> APIRouter:
    owners = {settings.topic_name(topic): client_id for topic, client_id in settings.all_inbound}
    partitions = max(topic.partitions for topic, _ in settings.all_inbound)
    clearances = {settings.topic_name(topic) for topic, _ in settings.inbound_clearances}
    topics_here = InboundTopics(owners, settings.topic_prefix, partitions, clearances)
    subscribed = subscriptions(settings, transactions.clock, formats=formats, profiles=profiles, replayed=True)

    async def again(letter_id: int) -> None:
        await replay(transactions.pool, subscribed, settings.topic_prefix, letter_id)
        transactions.committed()

    def event_id_of(letter: DeadLetter) -> str | None:
        return formats.event_id(letter.value or b"", formats.of_record(letter.headers))

    return inbound_http.routes(reads, topics_here, again, event_id_of, reader, events_http.REPLAY_CODES)
