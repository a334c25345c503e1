"""`python -m notifier templates`: check the messages, and look at them. Needs no database and no broker."""

from pathlib import Path
from typing import Annotated

import typer
from jinja2 import TemplateError, TemplateNotFound

from notifier.template_tools import preview
from notifier.template_tools.lint import languages as languages_there
from notifier.template_tools.lint import lint
from notifier.values.kinds import PATIENT_KINDS
from notifier.wording.renderer import Templates
from schemas.notifications import Kind

app = typer.Typer(no_args_is_help=True, help="Messages to patients: check them, look at them.")

FolderOption = Annotated[
    Path | None,
    typer.Option(
        envvar="NOTIFIER_TEMPLATES",
        exists=True,
        file_okay=False,
        help="The installation's own templates, which go before the built-in ones.",
    ),
]


@app.command("lint")
def lint_command(folder: FolderOption = None) -> None:
    """Render everything for names of every kind; exit 1 if a patient could read something wrong."""
    templates = Templates(folder)
    found = lint(templates)
    for finding in found:
        typer.echo(f"{'error' if finding.serious else 'warning'}  {finding.place}: {finding.what}")
    errors = sum(finding.serious for finding in found)
    spoken = ", ".join(languages_there(templates, ""))
    clinics = ", ".join(templates.clinics()) or "none"
    typer.echo(
        f"{len(PATIENT_KINDS)} kinds in {spoken}; clinics with their own: {clinics}. "
        f"{errors} errors, {len(found) - errors} warnings."
    )
    if errors:
        raise typer.Exit(1)


@app.command("preview")
def preview_command(
    kind: Annotated[str | None, typer.Argument(help=", ".join(kind.value for kind in PATIENT_KINDS))] = None,
    every: Annotated[bool, typer.Option("--all", help="All kinds.")] = False,
    language: Annotated[list[str] | None, typer.Option(help="May be given more than once; without it all.")] = None,
    clinic: Annotated[str, typer.Option(help="Code of the clinic whose own templates go first.")] = "",
    sensitive: Annotated[bool, typer.Option("--sensitive", help="As of a clinic that must not be named.")] = False,
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder to write to.")] = Path("preview"),
    folder: FolderOption = None,
) -> None:
    """Write messages with made-up visits as .txt, .html, .sms.txt and .ics, and index.html that shows them all."""
    if (kind is None) is not every:
        raise typer.BadParameter(f"one kind, or --all: {', '.join(kind.value for kind in PATIENT_KINDS)}")
    kinds = PATIENT_KINDS if every else (_kind(str(kind)),)
    templates = Templates(folder)
    there = languages_there(templates, clinic)
    if unknown := set(language or ()) - set(there):
        raise typer.BadParameter(f"no templates in {', '.join(sorted(unknown))}: there are {', '.join(there)}")
    try:
        pages = list(preview.pages(templates, kinds, language or there, clinic or "NORTH", sensitive=sensitive))
    except TemplateError as error:
        typer.echo(f"error  {error}: see `templates lint`", err=True)
        raise typer.Exit(1) from None
    written = preview.write(pages, out, clinic=clinic, sensitive=sensitive)
    for page in pages:
        for short in page.sms:
            taken = short.taken
            typer.echo(f"{page.name:24} SMS {short.case}: {taken.count} of {taken.alphabet}, {taken.units} used")
    typer.echo(f"{len(written)} files; open {written[-1]}")


@app.command("source")
def source_command(
    path: Annotated[str, typer.Argument(help="Below a folder of templates, such as en/reminder.sms.txt.j2.")],
    folder: FolderOption = None,
) -> None:
    """Print a template as it is written, to begin one of your own with."""
    environment = Templates(folder).environment("")
    try:
        assert environment.loader is not None  # noqa: S101  # Templates always gives it one
        typer.echo(environment.loader.get_source(environment, path)[0])
    except TemplateNotFound:
        raise typer.BadParameter(f"no template {path}") from None


def _kind(name: str) -> Kind:
    for kind in PATIENT_KINDS:
        if kind.value == name:
            return kind
    raise typer.BadParameter(f"no kind {name!r}: {', '.join(kind.value for kind in PATIENT_KINDS)}")
