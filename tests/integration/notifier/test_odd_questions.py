"""Whatever the notifier's API is asked with, it answers; a 500 is always our fault."""

import pytest

from tests.support.notifier.callbacks import secrets
from tests.support.notifier.running import RunningNotifier
from tests.support.odd_questions import broken_by

pytestmark = [pytest.mark.integration, pytest.mark.fuzz]


async def test_no_value_in_any_parameter_or_field_breaks_a_route(notifier: RunningNotifier) -> None:
    await notifier.start(lanes=(), **secrets())
    api = (await notifier.look("/openapi.json")).json()

    assert await broken_by(notifier.http, f"http://127.0.0.1:{notifier.port}", api) == []
