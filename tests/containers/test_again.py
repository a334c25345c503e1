"""What is started can be started again, and a service may be several: as the page says, with the commands it shows."""

import asyncio
from datetime import timedelta

import httpx2
import pytest

from stack.demo.installation import Installation
from tests.containers.containers import compose, container, run
from tests.support.practice import Practice

JOBS = ("topics", "migrate-booking", "migrate-records", "migrate-reminders", "migrate-notifier", "client")
UP = ("up", "-d", "--no-build", "--wait", "--wait-timeout", "120")


def test_the_jobs_ended_well_and_change_nothing_when_run_again() -> None:
    for job in JOBS:
        told = compose("run", "--rm", "--no-deps", "-T", job)
        assert "applied 0" not in told


def test_a_job_is_run_again_with_what_it_depends_on() -> None:
    assert "up to date" in compose("run", "--rm", "-T", "migrate-records", "migrate", "--plan")


def instances(service: str) -> int:
    return len(compose("ps", "-q", service).split())


async def test_a_second_up_runs_the_jobs_again_and_makes_more_of_a_service_and_what_follows_a_booking_is_there_once(
    practice: Practice, running: Installation
) -> None:
    others = ("kafka", "front", "notifier")
    before = {name: container(name)["State"]["StartedAt"] for name in others}
    await asyncio.to_thread(compose, *UP, "--scale", "records=2", "--scale", "booking=2")
    try:
        assert {job: container(job)["State"]["ExitCode"] for job in JOBS} == dict.fromkeys(JOBS, 0)
        assert {name: container(name)["State"]["StartedAt"] for name in others} == before
        assert (instances("records"), instances("booking")) == (2, 2)
        assert await answered_by(running.operations_urls["records"]) == 2
        patients = [await practice.new_patient() for _ in range(4)]
        visits = [await practice.book(one, practice.now + timedelta(days=3)) for one in patients]
        await practice.settle()
        for patient, visit in zip(patients, visits, strict=True):
            assert patient.id is not None
            assert len(await practice.client.sub_files_of(patient.id)) == 1
            assert len(await practice.notices(visit)) == 1
    finally:
        await asyncio.to_thread(compose, "scale", "--no-deps", "records=1", "booking=1")
    assert (instances("records"), instances("booking")) == (1, 1)


async def answered_by(url: str) -> int:
    """Return how many instances answer at one address."""
    found = set()
    for _ in range(6):
        async with httpx2.AsyncClient() as http:  # a connection each
            found.add((await http.get(f"{url}/health/ready")).raise_for_status().json()["started_at"])
    return len(found)


@pytest.mark.parametrize("service", ["booking", "records", "reminders", "notifier"])
def test_an_image_says_what_it_can_be_told_without_a_network(service: str) -> None:
    image = next(line for line in compose("config", "--images").splitlines() if f"/{service}:" in line)
    told = run("docker", "run", "--rm", "--network", "none", image, "settings")
    assert f"{service.upper()}_DATABASE_URL\n" in told
