"""The command of every service: its roles, `migrate`, `dead-letters`, `retention`, `settings`, `metrics`."""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Annotated, Any

import typer
from fastapi import FastAPI
from rich.console import Console
from rich.table import Table

from chassis.delivery import skip
from chassis.delivery.dead_letters_cli import dead_letters_cli
from chassis.delivery.subscription import Subscription
from chassis.postgres import migrator, retention
from chassis.postgres.bounded_count import Count
from chassis.postgres.database import Pool, create_pool
from chassis.process import logs
from chassis.process.clock import clock_from
from chassis.process.errors import AttendError, Misconfigured
from chassis.process.lifecycle import EXIT_MISCONFIGURED
from chassis.process.metrics import Metrics
from chassis.process.settings import ServiceSettings, load, secret_of
from chassis.process.terminal import console, show_all
from chassis.process.told_cli import metrics_command, settings_command

type Role[S] = Callable[[S], None]
type Subscriptions[S] = Callable[[S], Sequence[Subscription[Any]]]
type Jobs[S] = Callable[[S], Sequence[retention.Job]]


def run_async[T](work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work; end with its message and exit code instead of a traceback."""
    try:
        return asyncio.run(work)
    except AttendError as error:
        fail(error)
        raise AssertionError from error  # fail() never returns


def fail(error: AttendError) -> None:
    """Print the message to standard error and end: 78 when misconfigured, else 1."""
    Console(stderr=True, soft_wrap=True).print(f"[red]error[/red] {error.code}: {error.message}", highlight=False)
    raise typer.Exit(EXIT_MISCONFIGURED if isinstance(error, Misconfigured) else 1)


def settings_of[S: ServiceSettings](settings_type: type[S]) -> S:
    """Read the settings, or end with what is missing."""
    try:
        return load(settings_type)
    except Misconfigured as error:
        fail(error)
        raise AssertionError from error


def service_cli[S: ServiceSettings](
    name: str,
    package: str,
    settings_type: type[S],
    roles: Mapping[str, Role[S]],
    subscriptions: Subscriptions[S],
    jobs: Jobs[S] = lambda settings: (retention.settled_dead_letters(settings.keep_dead_letters_days),),
    elsewhere: Callable[[S], skip.Elsewhere | None] = lambda _: None,
    counts: Callable[[Metrics], object] = lambda _: None,
) -> typer.Typer:
    """Return the command `python -m <package>`.

    Args:
        roles: Name → function that runs that role until a signal ends it.
        subscriptions: Settings → all subscriptions of the service, for `dead-letters replay`.
        jobs: Settings → what the service keeps only for so long.
        elsewhere: Settings → positions that Kafka keeps, for `dead-letters skip`; None where all are in the schema.
        counts: Declares what the service counts beside the delivery core, for `metrics`.
    """
    app = typer.Typer(no_args_is_help=True, help=f"Attend's {name} service.", pretty_exceptions_enable=False)

    @app.callback()
    def quietly() -> None:
        # No docstring: it would be the help's first line. A role sets its own format when it runs.
        logs.configure(name, "warning", "console", sys.stderr)

    for role, run in roles.items():
        app.command(role, help=(run.__doc__ or f"Run {role}.").splitlines()[0])(_role_command(run, settings_type))

    @app.command("migrate")
    def migrate_command(
        plan: Annotated[bool, typer.Option("--plan", help="Print what would be applied and change nothing.")] = False,
    ) -> None:
        """Bring the schema up to date (DATABASE_ADMIN_URL and the service's own database URL)."""
        try:
            admin = secret_of("DATABASE_ADMIN_URL")
        except Misconfigured as error:
            fail(error)
        if not admin:
            fail(Misconfigured("DATABASE_ADMIN_URL: missing; a role that may create schemas and roles"))
        url = settings_of(settings_type).database_url.get_secret_value()
        if plan:
            found = run_async(migrator.plan(str(admin), name, package))
        else:
            found = run_async(migrator.migrate(str(admin), url, name, package))
        typer.echo(
            "\n".join(f"{'would apply' if plan else 'applied'} {step}" for step in found) or f"{name}: up to date"
        )

    def with_pool[T](work: Callable[[Pool], Coroutine[Any, Any, T]]) -> T:
        async def opened() -> T:
            pool = await create_pool(settings_of(settings_type).database_url.get_secret_value(), name, max_size=2)
            try:
                return await work(pool)
            finally:
                await pool.close()

        return run_async(opened())

    letters = dead_letters_cli(name, with_pool, lambda: settings_of(settings_type), subscriptions, elsewhere)
    app.add_typer(letters, name="dead-letters")
    app.command("retention")(retention_command(name, lambda: settings_of(settings_type), jobs))
    app.command("settings")(settings_command(settings_type))
    app.command("metrics")(metrics_command(name, counts))
    return app


def retention_command[S: ServiceSettings](name: str, settings: Callable[[], S], jobs: Jobs[S]) -> Callable[..., None]:
    """Return the command; its arguments are those of `service_cli`, but that the settings are read when it runs."""

    def command(
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how much would go and remove nothing.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    ) -> None:
        """Remove what is kept only for so long, as the running service does once a day."""
        found = settings()
        chosen, now = jobs(found), clock_from(found.clock_file).now()

        async def work() -> Mapping[str, Count]:
            pool = await create_pool(found.database_url.get_secret_value(), name, max_size=2)
            try:
                if dry_run:
                    return await retention.overdue(pool, chosen, now)
                return {job: Count(rows) for job, rows in (await retention.remove(pool, chosen, now)).items()}
            finally:
                await pool.close()

        counts = run_async(work())
        if as_json:
            rows = {job: count.rows for job, count in counts.items()}
            more = [job for job, count in counts.items() if count.more]
            typer.echo(json.dumps({"removed": not dry_run, "rows": rows, "or_more": more}))
            return
        table = Table("what", "kept", "would go" if dry_run else "removed")
        for job in chosen:
            table.add_row(job.name, f"{job.keep.days} days", str(counts.get(job.name, Count(0))))
        show_all(console(), [table])

    return command


def _role_command[S: ServiceSettings](run: Role[S], settings_type: type[S]) -> Callable[[], None]:
    def command() -> None:
        run(settings_of(settings_type))

    return command


def openapi_command(api: Callable[[], FastAPI]) -> Callable[[], None]:
    """Return the command that prints what the API is like.

    Args:
        api: Makes the API with nothing behind it.
    """

    def command() -> None:
        """Print the description of the API (OpenAPI 3.1), as the port of operations gives it at `/openapi.json`."""
        typer.echo(json.dumps(api().openapi(), ensure_ascii=False, indent=2))

    return command
