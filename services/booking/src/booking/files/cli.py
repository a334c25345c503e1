"""`python -m booking import FILE`: a whole file of a source through the door (0062)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from booking.files.importing import Imported, Wish, imported
from booking.files.kinds import Kind
from booking.values.refusals import Refused
from chassis.cli import fail, run_async
from chassis.process.terminal import console, show_all
from schemas.appointments import IngestMode

EXIT_BAD_FILE = 2

File = Annotated[
    Path, typer.Argument(metavar="FILE", help="CSV, lines of JSON (NDJSON; FHIR too), HL7 v2 or iCalendar (.ics).")
]
Source = Annotated[str | None, typer.Option(help="Whose file it is. Left out: the client's only source.")]
Mode = Annotated[
    IngestMode | None,
    typer.Option(help="`backfill`: history, for which nothing is sent. Left out: as the source says."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what each line would come to, and keep nothing.")]
KindOption = Annotated[Kind | None, typer.Option("--kind", help="Which kind of file. Left out: by how it begins.")]
Lanes = Annotated[int, typer.Option("--connections", min=1, max=16, help="Requests under way at once.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def import_command(
    file: File,
    source: Source = None,
    mode: Mode = None,
    dry_run: DryRun = False,
    kind: KindOption = None,
    connections: Lanes = 2,
    as_json: AsJson = False,
) -> None:
    """Send a file line by line; what was taken before is not doubled, so after a stop send it whole again.

    Refused lines are told in FILE.rejected.csv: line, code, place and detail, never what is in them.
    Exit codes: 0 all taken, 1 some refused or not answered, 2 no such file or none of these kinds, 78 nobody says where
    booking is.
    """
    try:
        found = run_async(imported(file, Wish(source, mode, dry_run, kind, connections), shown=not as_json))
    except OSError as error:
        typer.echo(f"{error.filename or file}: {error.strerror}", err=True)
        raise typer.Exit(EXIT_BAD_FILE) from None
    except Refused as refusal:
        at = f" ({refusal.place})" if refusal.place else ""
        typer.echo(f"{file}: {refusal.code}: {refusal.message}{at}", err=True)
        raise typer.Exit(EXIT_BAD_FILE) from None
    if as_json:
        typer.echo(json.dumps(members(found), indent=2))
    else:
        show_all(console(), [summary(found, dry_run=dry_run), *_notes(found, dry_run=dry_run)])
    if found.stopped is not None:
        fail(found.stopped)
    raise typer.Exit(1 if found.tally.refused else 0)


def members(found: Imported) -> dict[str, Any]:
    """Return what became of a file as JSON."""
    return {
        "kind": found.kind.value,
        **found.tally.members,
        "file_warnings": [one.members for one in found.warnings],
        "rejected": None if found.rejects is None else str(found.rejects),
        "stopped": None if found.stopped is None else found.stopped.code,
    }


_RESULTS = {
    "applied": ("taken", "would be taken"),
    "repeat": ("taken before: nothing was done", "taken before: nothing would be done"),
    "stale": ("older than what is known", "older than what is known"),
    "told": ("of a patient alone: taken", "of a patient alone: would be taken"),
    "tombstone": ("cancelled before it was booked", "cancelled before it was booked"),
}


def summary(found: Imported, *, dry_run: bool) -> Table:
    """Return the table of what became of a file's lines, or would."""
    table = Table("lines", "what would become of them" if dry_run else "what became of them", "code")
    table.columns[0].justify = "right"
    tally = found.tally
    for result, number in sorted(tally.results.items()):
        table.add_row(f"{number:,}", _RESULTS.get(result, (result, result))[dry_run], "")
    for code, number in tally.refused.most_common():
        table.add_row(f"{number:,}", "refused", code)
    if tally.ignored:
        table.add_row(f"{tally.ignored:,}", "of nobody's visit", "")
    for code, number in tally.warnings.most_common():
        table.add_row(f"{number:,}", "taken, with a warning", code)
    return table


def _notes(found: Imported, *, dry_run: bool) -> Iterator[str]:
    if not found.tally.seen and found.stopped is None:
        yield "No line of it is an event: nothing was done."
    if found.tally.reminders_cancelled:
        yield f"{found.tally.reminders_cancelled:,} reminders {'would be' if dry_run else 'were'} taken back."
    for one in found.warnings:
        yield f"{one.code} at {one.place}: {one.members['detail']}"
    if found.rejects is not None:
        yield f"Why lines are refused: {found.rejects}"
    if dry_run:
        yield "Nothing was kept: each batch of lines was tried against what is known now."
