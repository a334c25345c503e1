"""What a topic holds and its writer's database does not know (G2)."""

import pytest

from chassis.behind import Published, newer


@pytest.mark.parametrize(
    ("version", "held", "behind"), [(1, {}, True), (1, {"a": 1}, False), (1, {"a": 2}, False), (3, {"a": 2}, True)]
)
def test_only_a_version_above_the_held_one_is_news(version: int, held: dict[str, int], behind: bool) -> None:
    assert bool(newer([Published("here", "a", version)], held)) is behind
