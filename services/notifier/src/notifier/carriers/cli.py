"""`python -m notifier senders check`: the file of senders, before a start depends on it. Prints no secret."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr

from chassis.cli import fail
from chassis.process.errors import Misconfigured
from notifier.carriers.senders import read_senders
from notifier.carriers.senders_file import SECRETS, Section, read
from notifier.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Accounts and sender ids of the installation and of single clinics.")


@app.callback()
def _group() -> None:
    # One command today; without a callback typer would take its name away.
    pass


@app.command("check")
def check_command(
    file: Annotated[Path, typer.Argument(envvar="NOTIFIER_SENDERS", help="The TOML file.")],
) -> None:
    """Check file and environment as a start would; list what each section gives, or end with 78 and every place."""
    try:
        found = read(file)
        read_senders(Settings(database_url=SecretStr(""), kafka_bootstrap_servers="", senders=file))
    except Misconfigured as error:
        fail(error)
        return
    for name, section in (("installation", found.installation), *found.clinics.items()):
        typer.echo(f"{name:14} {', '.join(given(section)) or 'nothing of its own'}")


def given(section: Section) -> list[str]:
    """Return what a section says: the key and its value, of a secret the key alone."""
    told = []
    for key in sorted(section.model_fields_set - {"whatsapp"}):
        value = getattr(section, key)
        if isinstance(value, frozenset):
            value = "+".join(sorted(value)) or "none"
        told.append(f"{key} (secret)" if key in SECRETS else f"{key}={value}")
    return told + [f"whatsapp.{kind.value}={mapped.name}" for kind, mapped in section.whatsapp.items()]
