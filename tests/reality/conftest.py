"""What upstreams really send: every file has `CASES` of one kind, which one whole running system takes side by side.

A file is `CASES`, a tuple of `tests.support.reality.Case`, optionally `LATER`, how much time passes after the last
post, and one test:

    def test_a_rule_in_words(seen: Seen) -> None:
        seen.judge()
"""

import asyncio

import pytest

from stack.demo.installation import Installation
from tests.support.reality import Case, Seen, observe


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test of each case of the file."""
    if "seen" in metafunc.fixturenames:
        cases: tuple[Case, ...] = metafunc.module.CASES
        metafunc.parametrize("seen", [case.name for case in cases], indirect=True)


@pytest.fixture(scope="module")
def observed(running: Installation, request: pytest.FixtureRequest) -> dict[str, Seen]:
    """Send all cases of the file, and return what became of each, by name."""
    return asyncio.run(observe(running, request.module.CASES, getattr(request.module, "LATER", None)))


@pytest.fixture
def seen(observed: dict[str, Seen], request: pytest.FixtureRequest) -> Seen:
    """Return what became of one case."""
    return observed[request.param]
