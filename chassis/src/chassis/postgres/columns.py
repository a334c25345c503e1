"""A batch as a statement with `unnest` takes it: an array a column."""

from collections.abc import Collection
from operator import attrgetter
from typing import Any


def columns(items: Collection[object], *names: str) -> list[list[Any]]:
    """Return a list for each name: that attribute of every item, in order. A dotted name goes on into the attribute."""
    return [list(map(attrgetter(name), items)) for name in names]
