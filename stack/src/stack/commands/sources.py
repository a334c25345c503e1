"""`attend sources`: what each source means by what it sends, planned, applied and shown (0060)."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from stack.commands.plain import plain
from stack.commands.service_api import Booking, ProblemTold
from stack.commands.source_files import BadFile, SourceFile, as_yaml, read

app = typer.Typer(no_args_is_help=True, help="Profiles of sources: what each means by what it sends.")

EXIT_BAD_FILE = 2

Files = Annotated[list[Path], typer.Argument(metavar="FILE…", help="YAML, one source each; see examples/profiles/.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def plan(files: Files, as_json: AsJson = False) -> None:
    """Say key by key what profiles would change and what that means, and do nothing.

    Exit codes: 0 planned, 1 refused or not answered, 2 no such file or no YAML.
    """
    found = [told for _, told in _planned(Booking.here(), _read(files))]
    _print(found, as_json=as_json)


@app.command()
def apply(
    files: Files,
    reason: Annotated[str | None, typer.Option(help="Why, kept with the version.")] = None,
    as_json: AsJson = False,
) -> None:
    """Give sources the profiles in these files, from now on; none unless all of them are right.

    The same again changes nothing. Exit codes: 0 in force, 1 refused or not answered, 2 no such file or no YAML.
    """
    booking = Booking.here()
    planned = _planned(booking, _read(files))
    _print([_put(booking, file, reason, told["version"]) for file, told in planned], as_json=as_json)


@app.command()
def show(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="As events have it.")],
    whole: Annotated[bool, typer.Option("--whole", help="With the default of what was not said.")] = False,
    versions: Annotated[int, typer.Option(min=0, max=100, help="So many versions, newest first.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Show a source's profile as a file holds it, and who gave which when.

    Exit codes: 0 shown, 1 refused or not answered, 2 wrong words.
    """
    booking = Booking.here()
    told = booking.ask("GET", _path(source))
    past = booking.ask("GET", f"{_path(source)}/versions", limit=versions)["items"] if versions else []
    if as_json:
        typer.echo(json.dumps({**told, "versions": past}, indent=2))
        return
    for one in past:
        why = f": {one['reason']}" if one["reason"] else ""
        _say(f"# version {one['version']}, {one['applied_at'][:16]} by {one['applied_by']}{why}")
    if not told["version"]:
        _say("# none was ever given: all defaults")
    _say(as_yaml(source, told["in_force"] if whole else told["profile"]).rstrip())


@app.command()
def schema() -> None:
    """Print the JSON Schema of a profile: every key, its default and what it is for.

    Exit codes: 0 printed, 1 not answered.
    """
    typer.echo(json.dumps(Booking.here().ask("GET", "/v1/sources/profile-schema"), indent=2))


def _read(paths: Sequence[Path]) -> list[SourceFile]:
    """Return the files, all of them; those that cannot be read are told, and end the command."""
    files, bad = [], []
    for path in paths:
        try:
            files.append(read(path))
        except BadFile as error:
            bad.append(error.message)
    named = [file.source for file in files]
    bad += [
        f"{file.path}:1: {file.source} stands in another file too" for file in files if named.count(file.source) > 1
    ]
    _end_if(bad, EXIT_BAD_FILE)
    return files


def _planned(booking: Booking, files: Sequence[SourceFile]) -> list[tuple[SourceFile, Any]]:
    """Return what each file would change; what is wrong in any of them is told, and ends the command."""
    planned: list[tuple[SourceFile, Any]] = []
    wrong: list[str] = []
    for file in files:
        try:
            planned.append((file, _put(booking, file, None, None, dry_run="true")))
        except ProblemTold as error:
            if error.problem.get("status") != 422:
                raise
            wrong += _places(file, error)
    _end_if(wrong, 1)
    return planned


def _places(file: SourceFile, error: ProblemTold) -> Iterator[str]:
    """Yield a line for each place of a file that is wrong."""
    errors = error.problem.get("errors", [])
    if not errors:
        yield f"{file.path}:1: {error.message}"
    for number, one in enumerate(errors):
        place = str(one["place"]).removeprefix("profile.")
        detail = one.get("detail") or (error.problem.get("detail") if number == 0 else one["code"])
        yield f"{file.path}:{file.line_of(place)}: {place}: {detail} ({one['code']})"


def _put(booking: Booking, file: SourceFile, reason: str | None, version: int | None, **query: str) -> Any:
    body = {"profile": file.profile, "reason": reason}
    return booking.ask("PUT", _path(file.source), body, if_match=version, **query)


def _path(source: str) -> str:
    return f"/v1/sources/{quote(source, safe='')}/profile"


def _print(found: Sequence[Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    for told in found:
        for line in lines(told):
            _say(line)


def lines(told: Any) -> Iterator[str]:
    """Yield what a plan or an application says, for people."""
    changes, version = told["changes"], told["version"]
    if not changes:
        yield (
            f"{told['source']}: nothing to do, version {version} holds"
            if version
            else (f"{told['source']}: nothing to do, all defaults hold")
        )
    else:
        done = f"version {version} holds" if told["changed"] else f"would be version {version + 1}"
        yield f"{told['source']}: {len(changes)} {'key' if len(changes) == 1 else 'keys'}, {done}"
    for one in changes:
        yield f"  {one['key']}: {_shown(one['before'])} → {_shown(one['after'])}"
        yield f"      {one['means']}"
    for one in told["warnings"]:
        yield f"  ! {one['place'].removeprefix('profile.')}: {one['detail']} ({one['code']})"


def _shown(value: Any) -> str:
    if value is None or value == []:
        return "nothing"
    return ", ".join(map(str, value)) if isinstance(value, list) else json.dumps(value).strip('"')


def _end_if(wrong: Sequence[str], code: int) -> None:
    for line in wrong:
        typer.echo(plain(line).plain, err=True)
    if wrong:
        raise typer.Exit(code)


def _say(line: str) -> None:
    typer.echo(plain(line).plain)
