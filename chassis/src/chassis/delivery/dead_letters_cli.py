"""`python -m <service> dead-letters`: what could not be applied, and passing over what cannot be read."""

import json
from base64 import b64encode
from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any

import typer
from aiokafka import TopicPartition
from rich.console import Console
from rich.table import Column, Table

from chassis.delivery import dead_letter, skip
from chassis.delivery.replay import replay
from chassis.delivery.subscription import Subscription
from chassis.kafka import broker
from chassis.postgres.database import Pool
from chassis.process.errors import RejectedEvent
from chassis.process.settings import ServiceSettings

type WithPool = Callable[[Callable[[Pool], Coroutine[Any, Any, Any]]], Any]


def dead_letters_cli[S: ServiceSettings](
    name: str,
    with_pool: WithPool,
    settings: Callable[[], S],
    subscriptions: Callable[[S], Sequence[Subscription[Any]]],
    elsewhere: Callable[[S], skip.Elsewhere | None] = lambda _: None,
) -> typer.Typer:
    """Return the sub-command.

    Args:
        elsewhere: Settings → the positions that are not in its schema, if there are any.
    """
    app = typer.Typer(no_args_is_help=True, help="What could not be applied: kept with bytes, position and reason.")
    _add_looking(app, name, with_pool)
    _add_settling(app, with_pool, settings, subscriptions)
    _add_skipping(app, with_pool, settings, elsewhere)
    return app


def _add_looking(app: typer.Typer, name: str, with_pool: WithPool) -> None:
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
        Console().print(table_of(letters) if letters else f"{name}: no dead letters")

    @app.command("show")
    def show_command(letter_id: int) -> None:
        """Show one dead letter whole, its content too: it may hold patient data."""

        async def work(pool: Pool) -> dead_letter.DeadLetter:
            if (found := await dead_letter.one(pool, letter_id)) is None:
                raise RejectedEvent("NO_SUCH_LETTER", f"there is no dead letter {letter_id}")
            return found

        letter = with_pool(work)
        headers = [[name, _text(value)] for name, value in letter.headers]
        content = {"key": _text(letter.key), "value": _text(letter.value), "headers": headers}
        typer.echo(json.dumps({**_row(letter), **content}, indent=2))


def _add_settling[S: ServiceSettings](
    app: typer.Typer,
    with_pool: WithPool,
    settings: Callable[[], S],
    subscriptions: Callable[[S], Sequence[Subscription[Any]]],
) -> None:
    @app.command("replay")
    def replay_command(letter_ids: Annotated[list[int], typer.Argument(help="Ids of `list`.")]) -> None:
        """Apply dead letters again, each in one transaction; twice is once."""
        chosen = subscriptions(settings())
        prefix = settings().topic_prefix
        for letter_id in letter_ids:
            outcome = with_pool(lambda pool, letter_id=letter_id: replay(pool, chosen, prefix, letter_id))  # type: ignore[misc]
            typer.echo(f"{letter_id}: {outcome}")

    @app.command("discard")
    def discard_command(letter_ids: list[int]) -> None:
        """Settle dead letters without effect; they stay on record."""
        for letter_id in letter_ids:
            done = with_pool(lambda pool, letter_id=letter_id: dead_letter.discard(pool, letter_id))  # type: ignore[misc]
            typer.echo(f"{letter_id}: {'discarded' if done else 'not open'}")


def _add_skipping[S: ServiceSettings](
    app: typer.Typer,
    with_pool: WithPool,
    settings: Callable[[], S],
    elsewhere: Callable[[S], skip.Elsewhere | None],
) -> None:
    @app.command("skip")
    def skip_command(
        topic: Annotated[str, typer.Argument(help="With or without the installation's prefix.")],
        partition: int,
        to: Annotated[int, typer.Option(help="The offset to go on from; what lies before it is never read.")],
        by: Annotated[str, typer.Option(help="Who decides it.")],
        reason: Annotated[str, typer.Option(help="Why.")],
        consumer: Annotated[str | None, typer.Option(help="Whose position, where a topic has several.")] = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done and change nothing.")] = False,
    ) -> None:
        """Go on without records that cannot be read, while the service runs; who did it and why is kept."""
        chosen = settings()
        tp = TopicPartition(chosen.topic_prefix + topic.removeprefix(chosen.topic_prefix), partition)

        async def work(pool: Pool) -> skip.Held:
            skip.told(by, reason)
            others = elsewhere(chosen)
            kept = others is not None and others.keeps(consumer, tp)
            held = await (others.held(tp) if others and kept else skip.held(pool, consumer, tp))
            skip.check(held, to, *await broker.bounds_of(chosen.kafka_bootstrap_servers, tp))
            if others and kept and not dry_run:
                await skip.skip_elsewhere(pool, others, held, to, by, reason)
            elif not dry_run:
                await skip.skip(pool, held, to, by, reason)
            return held

        held = with_pool(work)
        verb = "would go" if dry_run else "goes"
        typer.echo(f"{held.consumer} {verb} on in {tp.topic}[{tp.partition}] from {to}; it stood at {held.position}")


def table_of(letters: Sequence[dead_letter.DeadLetter]) -> Table:
    """Return them for people: on a narrow terminal a cell goes on below itself, and nothing of it is cut off."""
    table = Table(*(Column(name, overflow="fold") for name in _row_names()))
    for letter in letters:
        at = "" if letter.recorded_at is None else f"{letter.recorded_at:%Y-%m-%d %H:%M}"
        table.add_row(*(str(value) for value in (_row(letter) | {"recorded_at": at}).values()))
    return table


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
