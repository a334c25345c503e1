"""Close, reopen and change of provider as a person does them: over HTTP, audited, published, beside bookings."""

import asyncio
from typing import Any

import asyncpg
import httpx2
import pytest

from records.wiring import Service
from schemas.subfiles import SubFileStatus
from schemas.topics import APPOINTMENTS
from tests.integration.records.running import KEY, Running, appointment, patient, provider
from tests.support.records.builders import id_of

pytestmark = pytest.mark.integration

WHY = {"by": "A. Abara", "reason": "treatment ended"}


class Desk:
    """The API of a running service, as ops people call it."""

    def __init__(self, service: Service) -> None:
        self._transport = httpx2.ASGITransport(app=service.api)

    async def ask(self, method: str, path: str, body: object = None, key: str | None = KEY) -> httpx2.Response:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        async with httpx2.AsyncClient(transport=self._transport, base_url="http://records", headers=headers) as http:
            return await http.request(method, f"/v1/subfiles{path}", json=body)

    async def file(self) -> dict[str, Any]:
        """Return the newest of Ann's files."""
        found: list[dict[str, Any]] = (await self.ask("GET", f"?patient={id_of('ann')}")).json()["items"]
        return max(found, key=lambda one: str(one["number"]))

    async def act(self, act: str, status: int = 200, **body: Any) -> dict[str, Any]:
        """Do something to the first of Ann's files."""
        [first] = [one for one in await self.files() if one["number"].endswith("-01")]
        method = "PUT" if act == "provider" else "POST"
        answer = await self.ask(method, f"/{first['sub_file_id']}/{act}", {**WHY, **body})
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def files(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.ask("GET", f"?patient={id_of('ann')}")).json()["items"]
        return found


async def opened(records: Running, **settings: object) -> Desk:
    service = await records.start(**settings)
    await records.write(patient(), provider(), provider("dr no"))
    await records.done()
    await records.write(appointment())
    await records.done()
    return Desk(service)


async def test_d1_closing_and_reopening_is_published_once_each_and_audited(records: Running) -> None:
    desk = await opened(records)

    closed = await desk.act("close")
    again = await desk.act("close")
    reopened = await desk.act("reopen", reason="came back")
    await records.done()

    assert (closed["status"], closed["version"], closed["repeat"]) == ("CLOSED", 2, False)
    assert again == {**closed, "repeat": True}
    assert (reopened["status"], reopened["version"], reopened["number"]) == ("ACTIVE", 3, closed["number"])
    published = await records.published()
    assert [(one.version, one.status) for one in published] == [
        (1, SubFileStatus.ACTIVE), (2, SubFileStatus.CLOSED), (3, SubFileStatus.ACTIVE),
    ]  # fmt: skip
    done = (await desk.ask("GET", f"/{closed['sub_file_id']}/commands")).json()["items"]
    assert [(one["act"], one["before"], one["after"], one["acted_by"], one["reason"]) for one in done] == [
        ("reopen", "CLOSED", "ACTIVE", "A. Abara", "came back"),
        ("close", "ACTIVE", "CLOSED", "A. Abara", "treatment ended"),
    ]
    causes = {str(row[0]) for row in await records.pool.fetch("SELECT command_id FROM sub_file_command")}
    assert {one.caused_by for one in published[1:]} == causes


async def test_d1_a_booking_after_the_close_opens_the_next_file_by_policy_and_the_old_one_stays_closed(
    records: Running,
) -> None:
    desk = await opened(records, replace_closed=True)
    await desk.act("close")

    await records.write(appointment("visit 2"))
    await records.done(APPOINTMENTS)

    assert sorted((one["number"][-2:], one["status"]) for one in await desk.files()) == [
        ("01", "CLOSED"), ("02", "ACTIVE"),
    ]  # fmt: skip
    assert (await desk.act("reopen", 409))["code"] == "SUB_FILE_REPLACED"
    assert (await desk.act("close"))["repeat"] is True


async def test_d1_of_a_reopening_and_a_booking_at_the_same_moment_one_wins(records: Running) -> None:
    desk = await opened(records, replace_closed=True)
    for n in range(10):
        newest = await desk.file()
        path = f"/{newest['sub_file_id']}"
        assert (await desk.ask("POST", f"{path}/close", WHY)).status_code == 200
        reopened, _ = await asyncio.gather(
            desk.ask("POST", f"{path}/reopen", WHY), records.write(appointment(f"visit {n + 2}"))
        )
        await records.done(APPOINTMENTS)
        now = await desk.file()
        assert (reopened.status_code, now["number"] != newest["number"]) in {(200, False), (409, True)}
    statuses = [one["status"] for one in await desk.files()]
    assert statuses.count("ACTIVE") == 1


async def test_d6_a_command_replaces_the_provider_and_a_later_booking_does_not(records: Running) -> None:
    desk = await opened(records)

    assert (await desk.act("provider", provider_id=id_of("dr no")))["provider_id"] == id_of("dr no")
    await records.write(appointment("visit 2", provider="dr who"))
    await records.done()

    assert (await desk.file())["provider_id"] == id_of("dr no")
    assert (await desk.act("provider", 422, provider_id=id_of("nobody")))["code"] == "UNKNOWN_PROVIDER"
    assert await records.pool.fetchval("SELECT count(*) FROM provider WHERE version = 0") == 0


async def test_a_command_names_who_and_why_and_needs_the_operators_key(records: Running) -> None:
    desk = await opened(records)
    path = f"/{(await desk.file())['sub_file_id']}"

    bad: tuple[dict[str, str], ...] = (
        {},
        {"by": "A"},
        {**WHY, "by": " "},
        {**WHY, "by": "A\x1b[31m"},
        {**WHY, "bye": "A"},
        {**WHY, "reason": ""},
    )
    for body in bad:
        assert (await desk.ask("POST", f"{path}/close", body)).status_code == 422, body
    assert (await desk.ask("POST", f"{path}/close", WHY, key=None)).status_code == 401
    assert (await desk.ask("GET", f"{path}/commands", key="another")).status_code == 401
    assert (await desk.ask("POST", f"/{id_of('none')}/close", WHY)).status_code == 404
    assert (await desk.file())["version"] == 1


async def test_the_audit_cannot_be_changed_by_the_service(records: Running) -> None:
    desk = await opened(records)
    await desk.act("close")

    for statement in ("UPDATE sub_file_command SET acted_by = 'x'", "DELETE FROM sub_file_command"):
        with pytest.raises(asyncpg.PostgresError):
            await records.pool.execute(statement)
