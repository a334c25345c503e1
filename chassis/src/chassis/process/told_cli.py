"""`settings` and `metrics` of every service: what it can be told and what it tells, without anything running."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Annotated

import typer

from chassis.process.metrics import Metrics
from chassis.process.setting_list import Setting, listed
from chassis.process.settings import ServiceSettings

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def settings_command(settings_type: type[ServiceSettings]) -> Callable[[bool], None]:
    """Return the command that lists every setting of a service; it needs none of them."""

    def command(as_json: JsonOption = False) -> None:
        """List every setting: its variable, type, unit, default and meaning, and where secrets may lie."""
        found = listed(settings_type)
        if as_json:
            typer.echo(json.dumps([asdict(one) | {"secret": one.secret} for one in found], indent=2))
            return
        typer.echo("\n".join(_lines(found)))

    return command


def metrics_command(service: str, declare: Callable[[Metrics], object]) -> Callable[[bool], None]:
    """Return the command that lists every metric of a service.

    Args:
        declare: Declares what the service counts beside the delivery core.
    """

    def command(as_json: JsonOption = False) -> None:
        """List every metric of `/metrics`: its type, labels, unit and meaning."""
        metrics = Metrics(service)
        declare(metrics)
        if as_json:
            typer.echo(json.dumps([asdict(one) | {"unit": one.unit} for one in metrics.families], indent=2))
            return
        for one in metrics.families:
            labels = f"{{{','.join(one.labels)}}}" if one.labels else ""
            typer.echo(f"{one.name}{labels}\n    {', '.join(filter(None, (one.kind, one.unit)))}. {one.meaning}")

    return command


def _lines(settings: Iterable[Setting]) -> Iterable[str]:
    for one in settings:
        yield f"{one.variable}{f' (or {one.also})' if one.also else ''}"
        kind = f"{one.type}{f', {one.unit}' if one.unit else ''}"
        needed = f"required{f' by {one.command}' if one.command else ''}" if one.required else ""
        default = f"default {one.default}" if one.default is not None else ""
        secret = f"secret: {one.file} may name a file with it" if one.secret else ""
        yield f"    {'; '.join(filter(None, (kind, needed, default, secret)))}"
        yield f"    {one.meaning}"
