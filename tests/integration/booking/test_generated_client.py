"""A client that a generator makes from the served description books, reads back, and tells refusals apart (0045)."""

import asyncio
import importlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest

from booking.wiring import FORMATS
from chassis.api.server import serve
from stack.ports import free_port
from tests.integration.booking.clearances.words import DESK, consent
from tests.integration.booking.clearances.words import paid as paid_for
from tests.support.booking.door import KEY, Door, booking
from tests.support.waiting import until

pytestmark = pytest.mark.integration

PACKAGE = "attend_booking_client"
JSON = {"application/json", "application/fhir+json"}
OTHERS = sorted({name for one in FORMATS.all for name in one.media_types} - JSON)
"""Types of bodies that a generator takes as bytes."""


@pytest.fixture
async def base_url(door: Door) -> AsyncIterator[str]:
    """Serve the API over HTTP, as its process does."""
    stop, port = asyncio.Event(), free_port()
    serving = asyncio.create_task(serve(door.api, "127.0.0.1", port, stop))
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:

        async def answers() -> bool:
            with suppress(httpx2.ConnectError):
                return (await http.get("/")).status_code == 401
            return False

        await until(answers)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        stop.set()
        await serving


@pytest.fixture
async def package(door: Door, tmp_path: Path) -> Path:
    """Return the package that openapi-python-client makes from `/openapi.json`, without a warning."""
    described, made, config = tmp_path / "openapi.json", tmp_path / PACKAGE, tmp_path / "config.yml"
    described.write_bytes((await door.look("/openapi.json")).content)
    as_bytes = "".join(f"  {name}: application/octet-stream\n" for name in OTHERS)
    config.write_text(f"post_hooks: []\ncontent_type_overrides:\n{as_bytes}")
    generator = Path(sys.executable).with_name("openapi-python-client")
    process = await asyncio.create_subprocess_exec(
        generator, "generate", "--path", described, "--meta", "none", "--output-path", made, "--config", config,
        "--fail-on-warning", env=os.environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return made


@pytest.fixture
async def client(package: Path, base_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    monkeypatch.syspath_prepend(package.parent)
    async with importlib.import_module(PACKAGE).AuthenticatedClient(base_url=base_url, token=KEY) as client:
        yield client
    for name in [name for name in sys.modules if name.startswith(PACKAGE)]:
        del sys.modules[name]


def made(name: str) -> Any:
    """Return a module of the client, or one of its models."""
    return importlib.import_module(f"{PACKAGE}.{name}")


async def test_a_generated_client_books_reads_back_and_is_refused_with_a_typed_problem(client: Any) -> None:
    models = made("models")
    post, get = made("api.events.post_events").asyncio, made("api.reading.get_appointment").asyncio
    visit = {
        "id": "visit-1", "status": "booked", "patient": {"id": "ann"}, "clinic": "EYE",
        "start": "2027-03-12T10:00:00+00:00", "service_type": "Check",
    }  # fmt: skip

    taken = await post(client=client, body=models.EventBody.from_dict({"event_id": "e-1", "appointment": visit}))
    assert isinstance(taken, models.EventTaken)
    assert (taken.event_id, taken.version, taken.result) == ("e-1", 1, models.Result.APPLIED)

    held = await get(client=client, appointment_id=taken.appointment_id)
    assert isinstance(held, models.AppointmentView)
    assert (held.source_id, held.status, held.current.clinic_id) == ("visit-1", models.Status.BOOKED, "EYE")
    assert [one.version for one in held.history] == [1]

    elsewhere = models.EventBody.from_dict({"event_id": "e-2", "appointment": {**visit, "clinic": "NOWHERE"}})
    refused = await post(client=client, body=elsewhere)
    assert isinstance(refused, models.Problem)
    assert (refused.status, refused.code) == (422, models.ProblemCode.UNKNOWN_CLINIC)
    assert [one.place for one in refused.errors] == ["appointment.clinic"]

    both = await post(client=client, body=models.EventsBody(events=[elsewhere]))
    assert isinstance(both, models.EventBatch)
    assert isinstance(both.results[0], models.ListedRefused)
    assert both.results[0].code == "UNKNOWN_CLINIC"


async def test_a_generated_client_registers_a_patient_and_enters_a_clinic(client: Any) -> None:
    models = made("models")
    patient = models.PatientBody(given_name="Ann", family_name="Ode", mobile="+447700900123")

    one = await made("api.reference_data.put_patient").asyncio("ann", client=client, body=patient)
    assert isinstance(one, models.PatientAnswer)
    assert one.version == 1

    clinic = models.ClinicBody.from_dict({"name": "Heart Clinic", "zone": "Europe/Nowhere"})
    refused = await made("api.reference_data.put_clinic").asyncio("HEART", client=client, body=clinic)
    assert isinstance(refused, models.Problem)
    assert refused.code == models.ProblemCode.UNKNOWN_ZONE


async def test_a_generated_client_clears_a_visit_and_tells_each_answer_from_the_others(
    door: Door, client: Any, base_url: str
) -> None:
    models, visit = made("models"), UUID((await door.post(booking()))["appointment_id"])
    bodies = consent(signed_at="2020-03-10T10:00:00Z"), paid_for()
    signed, paid = map(models.ClearanceBody.from_dict, bodies)
    post, get = made("api.clearances.post_clearances").asyncio, made("api.clearances.get_clearances").asyncio
    find = made("api.reading.get_appointments").asyncio

    async with made("client").AuthenticatedClient(base_url=base_url, token=await door.client(DESK)) as desk:
        one = await post(visit, client=desk, body=signed)
        several = await post(visit, client=desk, body=[signed, paid])
    assert isinstance(one, models.ClearanceTaken)
    assert (one.result, one.standing.is_cleared) == (models.ClearanceResult.APPLIED, True)
    assert isinstance(several, models.ClearanceBatch)
    assert [of.taken.result.value for of in several.results] == ["repeat", "applied"]

    held = await get(visit, client=client)
    assert isinstance(held, models.ClearancesView)
    assert [(of.kind, of.result) for of in held.history] == [
        ("consent", models.ClearanceResult.APPLIED), ("financial", models.ClearanceResult.APPLIED),
    ]  # fmt: skip

    day, all_, called = [
        await find(client=client, **given) for given in ({"clinic": "EYE"}, {}, {"source": "local", "id": "v1"})
    ]
    assert isinstance(day, models.VisitPage)
    assert isinstance(all_, models.AppointmentPage)
    assert isinstance(called, models.AppointmentView)
    assert (day.items[0].source_id, all_.items[0].appointment_id, called.appointment_id) == ("v1", visit, visit)


async def test_a_generated_client_with_a_wrong_key_hears_so(client: Any, base_url: str) -> None:
    async with made("client").AuthenticatedClient(base_url=base_url, token="no key of ours") as stranger:
        refused = await made("api.inbound.get_refused_events").asyncio(client=stranger)

    assert isinstance(refused, made("models").Problem)
    assert (refused.status, refused.code) == (401, made("models").ProblemCode.WRONG_KEY)
