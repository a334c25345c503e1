"""`python -m notifier senders check`: the file of senders, before a start depends on it. Prints no secret."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr

from chassis.cli import fail
from chassis.process.errors import Misconfigured
from notifier.carriers.http_client import new_client
from notifier.carriers.meta.approval import report
from notifier.carriers.senders import Senders, read_senders
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
    """Check file and environment as a start would; list what each section gives, or end with 78 and every place.

    Of each WhatsApp Business Account that is named, Meta is asked which of our templates are approved.
    """
    settings = Settings(database_url=SecretStr(""), kafka_bootstrap_servers="", senders=file)
    try:
        found, senders = read(file), read_senders(settings)
    except Misconfigured as error:
        fail(error)
        return
    for name, section in (("installation", found.installation), *found.clinics.items()):
        typer.echo(f"{name:14} {', '.join(given(section)) or 'nothing of its own'}")
    for line in asyncio.run(_approvals(senders, settings)):
        typer.echo(line)


async def _approvals(senders: Senders, settings: Settings) -> list[str]:
    """Return what Meta says of the templates of each business account."""
    every = {one.business_account_id: one for one in senders.meta_accounts() if one.business_account_id}
    async with new_client(settings.meta_base_url, settings.carrier_timeout_s, 1) as client:
        return [line for account in every.values() for line in await report(client, account)]


def given(section: Section) -> list[str]:
    """Return what a section says: the key and its value, of a secret the key alone."""
    told = []
    for key in sorted(section.model_fields_set - {"whatsapp"}):
        value = getattr(section, key)
        if isinstance(value, frozenset):
            value = "+".join(sorted(value)) or "none"
        told.append(f"{key} (secret)" if key in SECRETS else f"{key}={value}")
    return told + [f"whatsapp.{kind.value}={mapped.name}" for kind, mapped in section.whatsapp.items()]
