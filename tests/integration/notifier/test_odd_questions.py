"""Whatever the notifier's API is asked with, it answers; a 500 is always our fault."""

import pytest

from tests.support.notifier.callbacks import secrets
from tests.support.notifier.running import World
from tests.support.odd_questions import broken_by

pytestmark = [pytest.mark.integration, pytest.mark.fuzz]


async def test_no_value_in_any_parameter_or_field_breaks_a_route(world: World) -> None:
    await world.start(lanes=(), **secrets())
    api = (await world.look("/openapi.json")).json()

    assert await broken_by(world.http, f"http://127.0.0.1:{world.port}", api) == []
