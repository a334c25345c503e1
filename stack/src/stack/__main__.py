"""The command `attend`."""

import sys

import typer

from chassis.process.errors import AttendError, Misconfigured
from stack.commands import (
    check_in,
    day,
    forward,
    look,
    mapping,
    policy,
    run,
    sending_modes,
    sources,
    sub_files,
    upkeep,
    why,
    work_list,
)
from stack.keeper import EXIT_MISCONFIGURED

ELSEWHERE = (
    "An installation elsewhere is asked by `ATTEND_<SERVICE>_URL` (BOOKING, RECORDS, NOTIFIER: their APIs), with "
    "`ATTEND_OPERATOR_KEY` or the file that `ATTEND_OPERATOR_KEY_FILE` names; `status` by "
    "`ATTEND_<PART>_OPERATIONS_URL`; `dead-letters`, `clients`, `retention`, `migrate` and `topics` by "
    "`<SERVICE>_DATABASE_URL`, `DATABASE_ADMIN_URL` and `KAFKA_BOOTSTRAP_SERVERS`. Without them it is the one of this "
    "machine, in `ATTEND_HOME` (else ./.attend). Examples: docs/operating.md, From another machine."
)

app = typer.Typer(
    help="Everything that follows a booking, on this machine: start it, look at it, stop it.",
    epilog=ELSEWHERE,
    no_args_is_help=True,
    add_completion=False,
)
app.command()(run.up)
app.command()(run.down)
app.command()(look.status)
app.command()(look.logs)
app.command()(look.key)
app.command()(upkeep.reset)
app.command()(upkeep.migrate)
app.add_typer(upkeep.topics, name="topics")
app.add_typer(policy.app, name="policy")
app.add_typer(sending_modes.app, name="sending")
app.add_typer(sources.app, name="sources")
app.command("map")(mapping.map_file)
app.command()(why.why)
app.command("day")(day.day)
app.command("cancel-day")(day.cancel_day)
app.command("move-day")(day.move_day)
app.command("check-in")(check_in.check_in)
app.add_typer(work_list.app, name="work-list")
app.add_typer(sub_files.app, name="sub-files")
app.command(context_settings=forward.PASS_ON, add_help_option=False)(forward.clients)
app.command("dead-letters", context_settings=forward.PASS_ON, add_help_option=False)(forward.dead_letters)
app.command(context_settings=forward.PASS_ON, add_help_option=False)(forward.retention)
app.command("no-show", context_settings=forward.PASS_ON, add_help_option=False)(forward.no_show)
app.command("import", context_settings=forward.PASS_ON, add_help_option=False)(forward.import_)
app.command(context_settings=forward.PASS_ON, add_help_option=False)(forward.templates)
app.command(context_settings=forward.PASS_ON, add_help_option=False)(forward.settings)
app.command(context_settings=forward.PASS_ON, add_help_option=False)(forward.metrics)
app.command()(forward.demo)


def main() -> None:
    """Run a command; an error of ours is one message on stderr, without a traceback."""
    try:
        app()
    except AttendError as error:
        typer.echo(f"attend: {error.message}", err=True)
        sys.exit(EXIT_MISCONFIGURED if isinstance(error, Misconfigured) else 1)


if __name__ == "__main__":
    main()
