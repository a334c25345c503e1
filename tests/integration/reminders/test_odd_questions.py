"""Whatever the API of reminders is asked with, it answers; a 500 is always our fault."""

import hashlib

import httpx2
import pytest
from pydantic import SecretStr

from chassis.postgres.database import Pool
from reminders.settings import Settings
from reminders.wiring import reading_api
from tests.support.odd_questions import broken_by

pytestmark = [pytest.mark.integration, pytest.mark.fuzz]

KEY = "the operator's key"


async def test_no_value_in_any_parameter_or_field_breaks_a_route(pool: Pool) -> None:
    settings = Settings.model_construct(operator_key_sha256=SecretStr(hashlib.sha256(KEY.encode()).hexdigest()))
    app = reading_api(settings, pool)
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://reminders") as http:
        assert await broken_by(http, "", app.openapi(), headers=headers) == []
