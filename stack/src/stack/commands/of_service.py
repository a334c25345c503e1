"""Commands that every service has: the chassis's own, with their help and options, and SERVICE in front.

Apart from `forward`, for what the chassis needs to declare them takes a second of each `attend` to import.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from chassis.cli import retention_command
from chassis.delivery.dead_letters_cli import dead_letters_cli
from chassis.process.settings import ServiceSettings
from chassis.process.told_cli import metrics_command, settings_command
from stack import services

type Forward = Callable[[str, list[str]], None]
Service = Annotated[str, typer.Argument(help=f"One of {', '.join(services.PACKAGES)}.")]


def dead_letters(run: Forward) -> typer.Typer:
    """Return `attend dead-letters`: every action that a service has, asked which service is meant."""
    theirs = dead_letters_cli("", _nothing, _nothing, _nothing)
    app = typer.Typer(no_args_is_help=True, help=theirs.info.help, add_completion=False)
    for one in theirs.registered_commands:
        if one.name and one.callback:
            app.command(one.name)(_handed_on(("dead-letters", one.name), one.callback, run))
    return app


def retention(run: Forward) -> typer.Typer:
    """Return `attend retention`; `run` as of `dead_letters`."""
    app = typer.Typer(add_completion=False)
    app.command()(_handed_on(("retention",), retention_command("", _nothing, _nothing), run))
    return app


def settings(run: Forward) -> typer.Typer:
    """Return `attend settings`; `run` as of `dead_letters`."""
    app = typer.Typer(add_completion=False)
    app.command()(_handed_on(("settings",), settings_command(ServiceSettings), run))
    return app


def metrics(run: Forward) -> typer.Typer:
    """Return `attend metrics`; `run` as of `dead_letters`."""
    app = typer.Typer(add_completion=False)
    app.command()(_handed_on(("metrics",), metrics_command("", _nothing), run))
    return app


def _handed_on(words: Sequence[str], theirs: Callable[..., None], run: Forward) -> Callable[..., None]:
    """Return a command that takes what a service's own takes, after the service, and hands it on."""

    def command(context: typer.Context, **_asked: Any) -> None:
        run(context.params["service"], [*words, *_arguments(context)])

    place = inspect.Parameter.POSITIONAL_OR_KEYWORD
    asked = {
        "context": inspect.Parameter("context", place, annotation=typer.Context),
        "service": inspect.Parameter("service", place, annotation=Service),
        **inspect.signature(theirs, eval_str=True).parameters,
    }
    command.__signature__ = inspect.Signature([*asked.values()])  # type: ignore[attr-defined]  # typer reads these three
    command.__annotations__ = {name: one.annotation for name, one in asked.items()}
    command.__doc__ = theirs.__doc__
    return command


def _arguments(context: typer.Context) -> list[str]:
    """Return what was asked, but for the service, as it would be typed: options, `--`, arguments."""
    options, arguments = [], []
    for one in context.command.params:
        value = context.params.get(one.name or "")
        if one.name == "service" or value is None or value is False:
            continue
        if one.param_type_name == "argument":
            arguments += [str(each) for each in (value if isinstance(value, list | tuple) else [value])]
        else:
            options.append(one.opts[0] if value is True else f"{one.opts[0]}={value}")
    return [*options, "--", *arguments]


def _nothing(*_: Any) -> Any:
    """Stand where a service's own parts are: its commands are only read here."""
    raise NotImplementedError
