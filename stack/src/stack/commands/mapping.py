"""`attend map`: what a file's messages mean to booking, where each value came from, and what would follow (0063)."""

import json
from pathlib import Path
from typing import Annotated, NoReturn
from urllib.parse import quote

import typer

from stack.commands.mapping_view import lines
from stack.commands.media_types import media_type_of
from stack.commands.plain import plain
from stack.commands.service_api import Booking

EXIT_REFUSED, EXIT_BAD_FILE = 1, 2


def map_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="One message, or several as its format has them.")],
    source: Annotated[str, typer.Option("--source", help="Whose it is: its profile says what it means.")],
    explain: Annotated[bool, typer.Option("--explain", help="Field by field, and where each came from.")] = False,
    values: Annotated[
        bool, typer.Option("--values", help="Show names, numbers and texts as they are, and not by their shape.")
    ] = False,
    media_type: Annotated[
        str | None, typer.Option("--type", help="Its media type; left out: by what is in it, else by its name.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what a file's messages ask for and what would follow, by the source's profile; nothing is written or sent.

    Exit codes: 0 all would be taken, 1 one would be refused, or not answered, 2 no such file, or of no known format.
    """
    content = _content(file)
    type_ = media_type or media_type_of(file, content)
    if type_ is None:
        _end(f"{file}: no format is known by it: name its media type with --type")
    path = f"/v1/sources/{quote(source, safe='')}/map"
    told = Booking.as_client().send(path, content, type_, values="true" if values else None)
    if as_json:
        typer.echo(json.dumps(told, indent=2))
    else:
        for line in lines(file.name, told, explain=explain):
            typer.echo(plain(line).plain)
    if told["refused"]:
        raise typer.Exit(EXIT_REFUSED)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        _end(f"{file}: {error.strerror}")


def _end(message: str) -> NoReturn:
    typer.echo(plain(message).plain, err=True)
    raise typer.Exit(EXIT_BAD_FILE)
