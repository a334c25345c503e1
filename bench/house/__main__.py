"""`make house`: the shape of the product's code, a column a package; `--touched BASE`: what a change touches.

A *room* is what lies directly in a package: a folder with all that is in it, however deep, or a file that stands
beside the folders. The `layers` and `acyclic_siblings` contracts of import-linter order and compare the same things,
so the word means the same whether rooms are layers, features or files. It flatters a large folder (five files touched
in `adapters` are one room) and is hard on a flat package (five files are five). Two figures beside it do not depend on
it: the most files that lie side by side in a folder, and the files that a change touches.

An `__init__.py` with a docstring alone is not a file here. Migrations and templates are no code, but places that a
change may have to touch.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType

from bench.house import tables
from bench.house.shape import house
from bench.house.touched import touched

RECORDED = Path(__file__).parents[1] / "results" / "house.json"
"""By label: the packages as they were measured, and what each of twelve changes touched when it was tried."""

_WIDTH = 100
"""Columns that the widest table needs; a pipe says that it has 80."""


def main(
    root: Annotated[Path, typer.Option(help="The tree to measure.", exists=True, file_okay=False)] = Path(),
    base: Annotated[str | None, typer.Option("--touched", help="Files and rooms touched since this commit.")] = None,
    twelve: Annotated[bool, typer.Option("--twelve", help="What twelve changes touched, as recorded.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: names beside the counts.")] = False,
) -> None:
    """Show the shape of the product's code, or what a change touches."""
    if twelve:
        changes = {label: recorded["changes"] for label, recorded in json.loads(RECORDED.read_text("utf-8")).items()}
        _print(changes, as_json, tables.changes(changes))
    elif base is not None:
        try:
            change = touched(root, base)
        except subprocess.CalledProcessError as error:
            sys.exit(f"{root.resolve()}: {error.stderr.strip()}")
        _print(asdict(change), as_json, tables.touched(change))
    else:
        shapes = house(root)
        _print(
            {name: asdict(shape) for name, shape in shapes.items()},
            as_json,
            tables.shapes(shapes),
            tables.named(shapes),
        )


def _print(figures: Mapping[str, Any], as_json: bool, *shown: RenderableType) -> None:
    if as_json:
        print(json.dumps(figures, indent=2))
    else:
        Console(width=max(Console().width, _WIDTH)).print(*shown, sep="\n", highlight=False)


if __name__ == "__main__":
    typer.run(main)
