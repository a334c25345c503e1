"""`python -m <service> dead-letters`: what could not be applied, and passing over what cannot be read."""

import json
from base64 import b64encode
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Annotated, Any

import typer
from aiokafka import TopicPartition
from rich.console import RenderableType
from rich.table import Table

from chassis.delivery import dead_letter, skip
from chassis.delivery.replay import replay
from chassis.delivery.subscription import Subscription
from chassis.kafka import broker
from chassis.postgres.database import Pool
from chassis.process.errors import RejectedEvent
from chassis.process.settings import ServiceSettings
from chassis.process.terminal import console, show_all

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
        where = console()
        shown: list[RenderableType] = [table_of(letters)] if letters else [_none(name, state)]
        if len(letters) == limit:
            shown.append(f"Perhaps more than these {limit}: raise --limit.")
        show_all(where, shown)

    @app.command("show")
    def show_command(letter_id: int) -> None:
        """Show one dead letter whole, its content too: it may hold patient data."""
        letter = with_pool(lambda pool: _one(pool, letter_id))
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

        async def work(pool: Pool, letter_id: int) -> str:
            if (letter := await _one(pool, letter_id)).state == "replayed":
                return f"done before: {_settled(letter)}"
            return await replay(pool, chosen, prefix, letter_id)

        for letter_id in letter_ids:
            typer.echo(f"{letter_id}: {with_pool(partial(work, letter_id=letter_id))}")

    @app.command("discard")
    def discard_command(letter_ids: list[int]) -> None:
        """Settle dead letters without effect; they stay on record."""

        async def work(pool: Pool, letter_id: int) -> str:
            if await dead_letter.discard(pool, letter_id):
                return "discarded"
            letter = await _one(pool, letter_id)
            return f"{'done before' if letter.state == 'discarded' else 'not open'}: {_settled(letter)}"

        for letter_id in letter_ids:
            typer.echo(f"{letter_id}: {with_pool(partial(work, letter_id=letter_id))}")


def _settled(letter: dead_letter.DeadLetter) -> str:
    """Return how and when a letter was settled."""
    at = "" if letter.settled_at is None else f" at {letter.settled_at:%Y-%m-%d %H:%M} UTC"
    return f"{letter.state}{at}"


async def _one(pool: Pool, letter_id: int) -> dead_letter.DeadLetter:
    if (found := await dead_letter.one(pool, letter_id)) is None:
        raise RejectedEvent("NO_SUCH_LETTER", f"there is no dead letter {letter_id}")
    return found


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

        async def work(pool: Pool) -> skip.Held | skip.Skipped:
            skip.told(by, reason)
            others = elsewhere(chosen)
            kept = others is not None and others.keeps(consumer, tp)
            held = await (others.held(tp) if others and kept else skip.held(pool, consumer, tp))
            first, end = await broker.bounds_of(chosen.kafka_bootstrap_servers, tp)
            if held.position <= end and (before := await skip.done_before(pool, held, to)):
                return before
            skip.check(held, to, first, end)
            if others and kept and not dry_run:
                await skip.skip_elsewhere(pool, others, held, to, by, reason)
            elif not dry_run:
                await skip.skip(pool, held, to, by, reason)
            return held

        held = with_pool(work)
        if isinstance(held, skip.Skipped):
            when = f"{held.at:%Y-%m-%d %H:%M} UTC"
            typer.echo(f"Done before, by {held.by} at {when}: {tp.topic}[{tp.partition}] goes on from {to}")
            return
        verb = "would go" if dry_run else "goes"
        typer.echo(f"{held.consumer} {verb} on in {tp.topic}[{tp.partition}] from {to}; it stood at {held.position}")


def table_of(letters: Sequence[dead_letter.DeadLetter]) -> Table:
    """Return them for people."""
    table = Table(*_row_names())
    for letter in letters:
        at = "" if letter.recorded_at is None else f"{letter.recorded_at:%Y-%m-%d %H:%M}"
        table.add_row(*(str(value) for value in (_row(letter) | {"recorded_at": at}).values()))
    return table


def _none(name: str, state: str) -> str:
    return f"{name}: no dead letters" + (" of any state" if state == "all" else f" that are {state}")


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
