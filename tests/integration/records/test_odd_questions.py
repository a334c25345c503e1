"""Whatever the API of records is asked with, it answers; a 500 is always our fault."""

import httpx2
import pytest

from tests.integration.records.running import KEY, Running, appointment, patient
from tests.support.odd_questions import broken_by
from tests.support.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.fuzz]


async def test_no_value_in_any_parameter_or_field_breaks_a_route(records: Running) -> None:
    service = await records.start()
    await records.write(patient())
    await records.write(appointment())
    await until(lambda: _there(records))
    api = service.api.openapi()
    file = str(await records.pool.fetchval("SELECT sub_file_id FROM sub_file"))
    for asked in (asked for path in api["paths"].values() for asked in path.values()):
        for one in (one for one in asked.get("parameters", []) if one["name"] == "sub_file_id"):
            one["schema"]["example"] = file
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=service.api), base_url="http://records") as http:
        assert await broken_by(http, "", api, headers={"Authorization": f"Bearer {KEY}"}) == []


async def _there(records: Running) -> bool:
    return bool(await records.pool.fetchval("SELECT count(*) FROM sub_file"))
