"""`attend topics`, `attend migrate` and `attend reset`: what lies below the services."""

import asyncio
import os
from typing import Annotated

import typer

from chassis.process.errors import AttendError
from stack import services
from stack.connections import Connections
from stack.folders import home_folder
from stack.home import Home
from stack.leftovers import clear_away

topics = typer.Typer(help="Compare the declared topics with the broker's, and make them so.", no_args_is_help=True)

YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
PlanOption = Annotated[bool, typer.Option("--plan", help="Say what would be done and change nothing.")]


@topics.command("plan")
def topics_plan() -> None:
    """Say how the broker's topics differ from the declared ones; change nothing."""
    from chassis.kafka import topics as broker
    from stack import prepare

    here = Connections.here()
    differences = asyncio.run(broker.plan(here.bootstrap, prepare.declared_here(os.environ), here.topic_prefix))
    for difference in differences:
        typer.echo(str(difference))
    if differences:
        typer.echo(f"{len(differences)} differences. `attend topics apply` makes the broker so.")
    else:
        typer.echo("No differences.")


@topics.command("apply")
def topics_apply() -> None:
    """Make missing topics and mend settings. Repeats change nothing; records are never removed."""
    from stack import prepare

    here = Connections.here()
    done = prepare.make_topics(here.bootstrap, here.topic_prefix)
    for line in done:
        typer.echo(line)
    typer.echo("Applied." if done else "Nothing to do.")


def migrate(plan: PlanOption = False) -> None:
    """Bring the schema of every service up to date, with a role of least rights for each."""
    from chassis.postgres import migrator as schema
    from stack import prepare

    here = Connections.here()
    if plan:
        for package in filter(services.has_migrations, services.PACKAGES):
            waiting = asyncio.run(schema.plan(here.admin_url, package, package))
            typer.echo(f"{package}: {', '.join(map(str, waiting)) or 'up to date'}")
        return
    prepare.in_order(here.admin_url, here.database_url, lambda package: typer.echo(f"{package}: up to date"))


def reset(yes: YesOption = False) -> None:
    """Remove the installation's folder: all records, rows, logs and secrets."""
    home = Home(home_folder())
    if not home.folder.exists():
        typer.echo(f"Nothing at {home.folder}.")
        return
    if home.is_held:
        raise AttendError("STILL_RUNNING", "it runs: stop it first with `attend down`")
    if not yes:
        typer.confirm(f"Remove {home.folder} with all that is in it?", abort=True)
    clear_away(home)
    home.remove()
    typer.echo(f"Removed {home.folder}.")
