"""The imports between the rooms of a package: arrows, floors, arrows against the floors, knots."""

import importlib
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import grimp

type Arrow = tuple[str, str]
"""Who imports, who is imported."""

type Floors = list[frozenset[str]]
"""Modules by floor, the highest first."""


@dataclass(frozen=True, slots=True)
class Imports:
    """How the rooms of one package hang together.

    Attributes:
        arrows: Pairs of rooms of which the first imports from the second.
        floors: How many floors it has: those of its `layers` contract that have a module; without a contract, the rooms
            of the longest chain of arrows, those of a knot on one floor.
        upward: The arrows from a floor of a `layers` contract to a higher one, of this package or of one below it,
            even if the contract ignores them; None if no contract says what is up.
        knots: Neighbours in a folder, files or folders, each of which imports each of the others, if only through
            others of them; at any depth.
    """

    arrows: frozenset[Arrow]
    floors: int
    upward: frozenset[Arrow] | None
    knots: frozenset[frozenset[str]]


@contextmanager
def importable(folders: Iterable[Path]) -> Iterator[None]:
    """Let these folders come before any installed package of the same name, until the end of the block."""
    before = list(sys.path)
    sys.path[:0] = [str(folder) for folder in folders]
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = before


def contracts(settings: Mapping[str, Any]) -> list[Floors]:
    """Return the floors of each `layers` contract, once for each of its containers, with whole module names.

    Raises:
        ValueError: A container is a pattern: which floors belong together could not be told.
    """
    found = []
    for contract in settings.get("contracts", ()):
        if contract["type"] == "layers":
            for container in contract.get("containers", [""]):
                if "*" in container:
                    raise ValueError(f"contract {contract['name']!r}: name the containers, {container} is a pattern")
                prefix = f"{container}." if container else ""
                found.append([_floor(prefix, layer) for layer in contract["layers"]])
    return found


def read(package: str, contracts: Iterable[Floors]) -> Imports:
    """Read the imports of a package that is on the path and was not imported; nothing of it is run.

    Args:
        package: Its name. Of one that this process has imported, the imported files would be read.
        contracts: As `contracts` returns them; those of other packages do not matter.
    """
    graph = grimp.build_graph(package, cache_dir=None)
    inner = f"{package}.** -> {package}.**"
    imports = [(line["importer"], line["imported"]) for line in graph.find_matching_direct_imports(inner)]
    present = [[floor & graph.modules for floor in floors] for floors in contracts]
    below = [floors for floors in present if any(_is_below(module, package) for floor in floors for module in floor)]
    own = [floors for floors in below if all(parent(module) == package for floor in floors for module in floor)]
    arrows = between_children(package, imports)
    return Imports(
        arrows=arrows,
        floors=sum(map(bool, own[0])) if own else longest_chain(graph.find_children(package), arrows),
        upward=frozenset().union(*(upward(floors, imports) for floors in below)) if below else None,
        knots=frozenset(
            knot
            for folder in graph.modules
            for knot in strongly_connected(between_children(folder, imports))
            if len(knot) > 1
        ),
    )


def between_children(folder: str, imports: Iterable[Arrow]) -> frozenset[Arrow]:
    """Return the imports as arrows between what lies directly in the folder."""
    pairs = ((_child(folder, one), _child(folder, other)) for one, other in imports)
    return frozenset((one, other) for one, other in pairs if one and other and one != other)


def upward(floors: Floors, imports: Iterable[Arrow]) -> frozenset[Arrow]:
    """Return the arrows from a module of a floor to a module of a higher one."""
    height = {module: -depth for depth, floor in enumerate(floors) for module in floor}
    arrows = ((_stands_in(height, one), _stands_in(height, other)) for one, other in imports)
    return frozenset((one, other) for one, other in arrows if one and other and height[one] < height[other])


def strongly_connected(arrows: Iterable[Arrow]) -> frozenset[frozenset[str]]:
    """Return the sets in which each reaches each along the arrows; who is in no circle is a set alone."""
    graph = grimp.ImportGraph()
    for one, other in arrows:
        graph.add_import(importer=one, imported=other)
    return frozenset(
        frozenset(graph.find_upstream_modules(module) & graph.find_downstream_modules(module) | {module})
        for module in {module for arrow in arrows for module in arrow}
    )


def longest_chain(rooms: Iterable[str], arrows: frozenset[Arrow]) -> int:
    """Return how many rooms stand one above the other, a knot counting as one room."""
    knot_of = {room: frozenset({room}) for room in rooms}
    knot_of |= {room: knot for knot in strongly_connected(arrows) for room in knot}
    below: dict[frozenset[str], set[frozenset[str]]] = {knot: set() for knot in knot_of.values()}
    for one, other in arrows:
        if knot_of[one] != knot_of[other]:
            below[knot_of[one]].add(knot_of[other])
    height: dict[frozenset[str], int] = {}
    for knot in TopologicalSorter(below).static_order():
        height[knot] = 1 + max((height[lower] for lower in below[knot]), default=0)
    return max(height.values(), default=0)


def parent(module: str) -> str:
    """Return the package that a module lies in; empty for one that lies in none."""
    return module.rpartition(".")[0]


def _floor(prefix: str, layer: str) -> frozenset[str]:
    return frozenset(prefix + name.strip(" ()") for name in re.split("[|:]", layer))


def _is_below(module: str, package: str) -> bool:
    return module.startswith(f"{package}.")


def _child(folder: str, module: str) -> str | None:
    if not _is_below(module, folder):
        return None
    return f"{folder}.{module.removeprefix(folder + '.').partition('.')[0]}"


def _stands_in(height: Mapping[str, int], module: str) -> str | None:
    while module and module not in height:
        module = parent(module)
    return module or None
