"""The command of every service: its roles, `migrate`, `dead-letters`, `retention`."""

import asyncio
import json
import os
import sys
from base64 import b64encode
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Annotated, Any

import asyncpg
import typer
from rich.console import Console
from rich.table import Table

from chassis import dead_letter, logs, migrate, retention
from chassis.clock import clock_from
from chassis.database import create_pool
from chassis.errors import AttendError, Misconfigured
from chassis.lifecycle import EXIT_MISCONFIGURED
from chassis.replay import replay
from chassis.settings import ServiceSettings, load
from chassis.subscription import Subscription

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
    Console(stderr=True).print(f"[red]error[/red] {error.code}: {error.message}", highlight=False)
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
) -> typer.Typer:
    """Return the command `python -m <package>`.

    Args:
        name: The service, which is also its schema.
        package: Its import name.
        settings_type: Its settings.
        roles: Name → function that runs that role until a signal ends it.
        subscriptions: Settings → all subscriptions of the service, for `dead-letters replay`.
        jobs: Settings → what the service keeps only for so long.
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
        admin = os.environ.get("DATABASE_ADMIN_URL")
        if not admin:
            fail(Misconfigured("DATABASE_ADMIN_URL: missing; a role that may create schemas and roles"))
        url = settings_of(settings_type).database_url.get_secret_value()
        if plan:
            found = run_async(migrate.plan(str(admin), name, package))
        else:
            found = run_async(migrate.migrate(str(admin), url, name, package))
        typer.echo(
            "\n".join(f"{'would apply' if plan else 'applied'} {step}" for step in found) or f"{name}: up to date"
        )

    app.add_typer(_dead_letters(name, settings_type, subscriptions), name="dead-letters")
    app.command("retention")(_retention_command(name, settings_type, jobs))
    return app


def _retention_command[S: ServiceSettings](name: str, settings_type: type[S], jobs: Jobs[S]) -> Callable[..., None]:
    def command(
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how much would go and remove nothing.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    ) -> None:
        """Remove what is kept only for so long, as the running service does once a day."""
        settings = settings_of(settings_type)
        chosen, now = jobs(settings), clock_from(settings.clock_file).now()

        async def work() -> Mapping[str, int]:
            pool = await create_pool(settings.database_url.get_secret_value(), name, max_size=2)
            try:
                return await (retention.overdue if dry_run else retention.remove)(pool, chosen, now)
            finally:
                await pool.close()

        counts = run_async(work())
        if as_json:
            typer.echo(json.dumps({"removed": not dry_run, "rows": counts}))
            return
        table = Table("what", "kept", "would go" if dry_run else "removed")
        for job in chosen:
            table.add_row(job.name, f"{job.keep.days} days", f"{counts.get(job.name, 0):,}")
        Console().print(table)

    return command


def _role_command[S: ServiceSettings](run: Role[S], settings_type: type[S]) -> Callable[[], None]:
    def command() -> None:
        run(settings_of(settings_type))

    return command


def _dead_letters[S: ServiceSettings](
    name: str, settings_type: type[S], subscriptions: Subscriptions[S]
) -> typer.Typer:
    app = typer.Typer(no_args_is_help=True, help="What could not be applied: kept with bytes, position and reason.")

    def with_pool[T](work: Callable[[asyncpg.Pool], Coroutine[Any, Any, T]]) -> T:
        async def opened() -> T:
            pool = await create_pool(settings_of(settings_type).database_url.get_secret_value(), name, max_size=2)
            try:
                return await work(pool)
            finally:
                await pool.close()

        return run_async(opened())

    @app.command("list")
    def list_command(
        state: Annotated[str, typer.Option(help="open, replayed, discarded or all.")] = "open",
        limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
        as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    ) -> None:
        """List dead letters: id, position, reason; never the content."""
        letters = with_pool(lambda pool: dead_letter.listed(pool, None if state == "all" else state, limit))
        if as_json:
            for letter in letters:
                typer.echo(json.dumps(_row(letter)))
            return
        table = Table(*_row_names())
        for letter in letters:
            table.add_row(*(str(v) for v in _row(letter).values()))
        Console().print(table if letters else f"{name}: no dead letters")

    @app.command("show")
    def show_command(letter_id: int) -> None:
        """Show one dead letter whole, its content too: it may hold patient data."""
        letter = with_pool(lambda pool: dead_letter.one(pool, letter_id))
        if letter is None:
            raise typer.BadParameter(f"there is no dead letter {letter_id}")
        headers = [[name, _text(value)] for name, value in letter.headers]
        content = {"key": _text(letter.key), "value": _text(letter.value), "headers": headers}
        typer.echo(json.dumps({**_row(letter), **content}, indent=2))

    @app.command("replay")
    def replay_command(letter_ids: Annotated[list[int], typer.Argument(help="Ids of `list`.")]) -> None:
        """Apply dead letters again, each in one transaction; twice is once."""
        chosen = subscriptions(settings_of(settings_type))
        prefix = settings_of(settings_type).topic_prefix
        for letter_id in letter_ids:
            outcome = with_pool(lambda pool, letter_id=letter_id: replay(pool, chosen, prefix, letter_id))  # type: ignore[misc]
            typer.echo(f"{letter_id}: {outcome}")

    @app.command("discard")
    def discard_command(letter_ids: list[int]) -> None:
        """Settle dead letters without effect; they stay on record."""
        for letter_id in letter_ids:
            done = with_pool(lambda pool, letter_id=letter_id: dead_letter.discard(pool, letter_id))  # type: ignore[misc]
            typer.echo(f"{letter_id}: {'discarded' if done else 'not open'}")

    return app


def _row(letter: dead_letter.DeadLetter) -> dict[str, Any]:
    at = None if letter.recorded_at is None else letter.recorded_at.isoformat(timespec="seconds")
    where = f"{letter.topic}[{letter.partition}]@{letter.offset}"
    return dict(zip(_row_names(), (letter.id, letter.state, where, letter.code, letter.message, at), strict=True))


def _row_names() -> tuple[str, ...]:
    return ("id", "state", "position", "code", "message", "recorded_at")


def _text(content: bytes | None) -> str | dict[str, str] | None:
    """Return bytes as text; what is not UTF-8 as {"base64": …}, so that nothing is lost."""
    try:
        return None if content is None else content.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(content or b"").decode()}
