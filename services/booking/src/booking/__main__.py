"""`python -m booking`: run the service, migrate its schema, look after clients and dead letters."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

import typer
from fastapi import FastAPI
from rich.table import Table

from booking.files.cli import import_command
from booking.settings import Settings
from chassis.cli import openapi_command, run_async, service_cli, settings_of
from chassis.delivery.consumer import Subscription
from chassis.postgres.database import Pool, create_pool
from chassis.postgres.retention import Job
from chassis.process.clock import clock_from
from chassis.process.errors import RejectedEvent
from chassis.process.lifecycle import main, run
from chassis.process.metrics import Metrics
from chassis.process.terminal import console, show_all

SERVICE = "booking"


def serve(settings: Settings) -> None:
    """Run the service until it is told to stop."""
    from booking.wiring import build

    async def main(stop: asyncio.Event) -> None:
        async with build(settings) as service:
            await service.run(stop)

    run(SERVICE, settings, main)


def listen(settings: Settings) -> None:
    """Take messages of HL7 v2 over MLLP until it is told to stop."""
    from booking.wiring.mllp import build

    async def main(stop: asyncio.Event) -> None:
        async with build(settings) as listening:
            await listening.run(stop)

    run(SERVICE, settings, main)


def _subscriptions(settings: Settings) -> Sequence[Subscription[Any]]:
    from booking.wiring import subscriptions

    return subscriptions(settings, clock_from(settings.clock_file), replayed=True)


def _jobs(settings: Settings) -> Sequence[Job]:
    from booking.retention import jobs

    return jobs(settings)


def _counts(metrics: Metrics) -> None:
    from booking.appointments.counts import AnswerCounts
    from booking.mllp.counts import MllpCounts
    from booking.reissues.job import ReissueCounts
    from chassis.time_slots.metrics import SlotMetrics

    AnswerCounts(metrics), MllpCounts(metrics), ReissueCounts(metrics), SlotMetrics(metrics)


def _unplugged() -> FastAPI:
    from booking.wiring import unplugged

    return unplugged()


app = service_cli(SERVICE, SERVICE, Settings, {"run": serve, "mllp": listen}, _subscriptions, _jobs, counts=_counts)
app.command("openapi")(openapi_command(_unplugged))
app.command("import")(import_command)
clients_app = typer.Typer(no_args_is_help=True, help="API clients: their keys, sources and clinics.")
app.add_typer(clients_app, name="clients")

KeyFromInput = Annotated[bool, typer.Option("--key-stdin", help="Read the key from standard input.")]


def _with_pool[T](work: Callable[[Pool], Awaitable[T]]) -> T:
    from booking.values.refusals import Refused

    async def opened() -> T:
        pool = await create_pool(settings_of(Settings).database_url.get_secret_value(), SERVICE, max_size=2)
        try:
            return await work(pool)
        except Refused as refusal:
            raise RejectedEvent(refusal.code, refusal.message) from None
        finally:
            await pool.close()

    return run_async(opened())


def _key(*, from_input: bool) -> str:
    from booking.door.client_keys import new_key
    from chassis.api.app import operator

    key = sys.stdin.readline().strip() if from_input else new_key()
    if operator(settings_of(Settings)).opens(key):
        raise typer.BadParameter("this is the operator's key; a client's is another")
    return key


@clients_app.command("create")
def create_command(
    client_id: str,
    source: Annotated[list[str], typer.Option(help="A source it speaks for; give several times; * for all.")],
    clinic: Annotated[list[str] | None, typer.Option(help="A clinic it may book at; left out: all.")] = None,
    may_register: Annotated[bool, typer.Option("--may-register", help="It may register patients.")] = False,
    default_clinic: Annotated[str | None, typer.Option(help="The clinic of bookings that name none.")] = None,
    may_set_policy: Annotated[
        bool, typer.Option("--may-set-policy", help="It may set its clinics' policies: of reminders, of clearances.")
    ] = False,
    may_manage_clinics: Annotated[
        bool, typer.Option("--may-manage-clinics", help="It may enter and change its clinics, and clinicians.")
    ] = False,
    may_clear: Annotated[
        bool, typer.Option("--may-clear", help="It may say whether visits of its sources and clinics are cleared.")
    ] = False,
    may_override_clearance: Annotated[
        bool,
        typer.Option("--may-override-clearance", help="It may check in whose visit is not cleared."),
    ] = False,
    may_correct: Annotated[
        bool, typer.Option("--may-correct", help="It may correct statuses, with a reason, where steps are enforced.")
    ] = False,
    key_stdin: KeyFromInput = False,
) -> None:
    """Create a client and print its key, once. With the same key again: change its rights."""
    from booking.door import client_keys
    from booking.door.domain import ALL, Client

    key = _key(from_input=key_stdin)
    checks = (may_clear, may_override_clearance, may_correct)
    rights = (may_register, default_clinic, may_set_policy, may_manage_clinics, *checks)
    client = Client(client_id, tuple(source), tuple(clinic or [ALL]), *rights)
    _with_pool(lambda pool: client_keys.create(pool, client, key))
    typer.echo(f"client {client_id} is known" if key_stdin else key)


@clients_app.command("rotate")
def rotate_command(client_id: str, key_stdin: KeyFromInput = False) -> None:
    """Give a client another key and print it; the old one ends at once."""
    from booking.door import client_keys

    key = _key(from_input=key_stdin)
    if not _with_pool(lambda pool: client_keys.rotate(pool, client_id, key)):
        raise typer.BadParameter(f"there is no client {client_id}")
    typer.echo(f"client {client_id} has the new key" if key_stdin else key)


@clients_app.command("revoke")
def revoke_command(client_id: str) -> None:
    """Take back a client's rights; what it sent stays."""
    from booking.door import client_keys

    if not _with_pool(lambda pool: client_keys.revoke(pool, client_id)):
        raise typer.BadParameter(f"there is no client {client_id}")
    typer.echo(f"client {client_id} is revoked")


@clients_app.command("list")
def list_command() -> None:
    """List the clients and their rights; never a key."""
    from booking.door import client_keys

    columns = ("registers", "sets policies", "manages clinics", "clears visits", "overrides", "corrects")
    table = Table("client", "sources", "clinics", *columns, "default clinic", "state")
    found = _with_pool(client_keys.listed)
    for row in found:
        may = ("yes" if row[right] else "no" for right in client_keys.RIGHTS)
        rights = (", ".join(row["sources"]), ", ".join(row["clinics"]), *may)
        table.add_row(row["client_id"], *rights, row["default_clinic"] or "", "revoked" if row["revoked"] else "active")
    show_all(console(), [table if found else "No client is known yet: `attend clients create`."])


@app.command("no-show")
def no_show_command(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count only; the running service makes the change.")
    ] = False,
) -> None:
    """Say how many visits, by clinic, are still booked although they ended long enough ago (D19)."""
    from booking.no_shows.store import count_unattended
    from booking.wiring.choices import no_show_rule_of

    if not dry_run:
        raise typer.BadParameter("the running service makes the change at each slot; give --dry-run to count")
    settings = settings_of(Settings)
    rule, now = no_show_rule_of(settings), clock_from(settings.clock_file).now()
    table = Table("clinic", "would be no-shows now")
    counts, visits = _with_pool(lambda pool: count_unattended(pool, rule, now))
    for clinic_id, number in counts.items():
        table.add_row(clinic_id, str(number))
    show_all(console(), [table] if counts else [])
    told = str(visits) if visits.rows is None else f"{visits} visits at {len(counts)} clinics"
    typer.echo(f"{told}; nothing was changed")


if __name__ == "__main__":
    main(app)
