"""What a service's command calls itself in usage and errors."""

import os

import typer

PROGRAM = "ATTEND_PROGRAM"
"""The variable by which `attend`, where it hands a command on, has it name what was typed."""


def main(app: typer.Typer) -> None:
    """Run the command of a service: `python -m <service>`, unless it was handed on."""
    app(prog_name=os.environ.get(PROGRAM))
