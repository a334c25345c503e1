"""A service says what it can be told: each setting once, with unit, bounds and meaning; and what nobody reads."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field, SecretStr
from pydantic_settings import NoDecode, SettingsConfigDict

from booking.settings import Settings as BookingSettings
from chassis.process.setting_list import Setting, listed, unread
from chassis.process.settings import ServiceSettings
from notifier.settings import Settings as NotifierSettings
from records.settings import Settings as RecordsSettings
from reminders.settings import Settings as RemindersSettings

SERVICES: tuple[type[ServiceSettings], ...] = (BookingSettings, RecordsSettings, RemindersSettings, NotifierSettings)


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="SHOP_")

    http_port: int = 8199
    operations_port: int = 8198
    rate_per_second: float = Field(default=0.5, ge=0, le=9)
    """Parcels, at most."""
    wait_s: float = Field(default=20, gt=0)
    """How long a parcel waits
    at the door."""
    tries: int = Field(default=3, ge=1)
    """How often."""
    tls: Literal["none", "tls"] = "none"
    """How."""
    key: SecretStr | None = None
    """What opens the door."""
    hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Who may."""
    folder: Path | None = None
    """Where."""
    bound: dict[str, str] = Field(default_factory=dict)
    """Whose."""
    open: bool = False
    """Whether."""


FOUND = {one.variable: one for one in listed(Settings)}


@pytest.mark.parametrize(
    ("variable", "type_", "unit", "default"),
    [
        ("SHOP_RATE_PER_SECOND", "number, 0 to 9", "a second", "0.5"),
        ("SHOP_WAIT_S", "number, more than 0", "seconds", "20"),
        ("SHOP_TRIES", "whole number, 1 or more", None, "3"),
        ("SHOP_TLS", "one of none, tls", None, "none"),
        ("SHOP_KEY", "text", None, None),
        ("SHOP_HOSTS", "list, with commas between", None, None),
        ("SHOP_FOLDER", "path", None, None),
        ("SHOP_BOUND", "JSON object", None, "{}"),
        ("SHOP_OPEN", "true or false", None, "false"),
        ("SHOP_KEEP_DEAD_LETTERS_DAYS", "whole number, 1 or more", "days", "90"),
        ("SHOP_HTTP_PORT", "whole number", None, "8199"),
    ],
)
def test_a_setting_says_its_type_its_unit_and_its_default(
    variable: str, type_: str, unit: str | None, default: str | None
) -> None:
    one = FOUND[variable]
    assert (one.type, one.unit, one.default) == (type_, unit, default)


def test_the_meaning_is_what_stands_beneath_the_setting_where_it_is_declared_first() -> None:
    assert FOUND["SHOP_WAIT_S"].meaning == "How long a parcel waits at the door."
    assert FOUND["SHOP_HTTP_PORT"].meaning.startswith("Port of the API")  # of every service; only the default is ours


def test_what_is_required_comes_first_and_says_who_needs_it() -> None:
    required = [one for one in listed(Settings) if one.required]
    assert listed(Settings)[: len(required)] == required
    needed = {"SHOP_DATABASE_URL": None, "KAFKA_BOOTSTRAP_SERVERS": None, "DATABASE_ADMIN_URL": "migrate"}
    assert {one.variable: one.command for one in required} == needed


def test_a_secret_has_no_default_and_may_lie_in_a_file() -> None:
    assert FOUND["SHOP_KEY"].file == "SHOP_KEY_FILE"
    secrets = {"SHOP_KEY", "SHOP_DATABASE_URL", "DATABASE_ADMIN_URL", "ATTEND_OPERATOR_KEY_SHA256"}
    assert {one.variable for one in FOUND.values() if one.secret} == secrets


def test_a_setting_of_the_installation_may_be_given_for_one_service_and_a_place_by_its_image() -> None:
    assert FOUND["ATTEND_LOG_LEVEL"].also == "SHOP_LOG_LEVEL"
    assert FOUND["SHOP_HTTP_HOST"].also == "ATTEND_HTTP_HOST"
    assert FOUND["SHOP_TRIES"].also is None


@pytest.mark.parametrize("settings_type", SERVICES, ids=lambda one: one.__module__)
def test_every_setting_of_every_service_says_what_it_means(settings_type: type[ServiceSettings]) -> None:
    found = listed(settings_type)
    assert [one.variable for one in found if len(one.meaning) < 15 or not one.meaning.endswith(".")] == []
    assert len({one.variable for one in found}) == len(found) > 14


def units(found: list[Setting]) -> set[str]:
    """Return the numbers whose name says no unit."""
    return {one.variable.partition("_")[2] for one in found if "number" in one.type and one.unit is None}


def test_every_number_has_its_unit_in_its_name_but_ports_and_counts() -> None:
    ports = {"HTTP_PORT", "OPERATIONS_PORT", "SMTP_PORT", "MLLP_PORT"}
    counts = {"POLICY_REISSUE_BATCH", "STANDBYS", "EMAIL_SLOTS", "SMS_SLOTS", "WHATSAPP_SLOTS", "BREAKER_FAILURES"}
    counts |= {"MLLP_MAX_CONNECTIONS"}
    assert set().union(*(units(listed(one)) for one in SERVICES)) == ports | counts


@pytest.mark.parametrize(
    ("given", "value", "near"),
    [
        ("SHOP_TRYS", "3", "SHOP_TRIES"),
        ("SHOP_HTP_PORT", "1", "SHOP_HTTP_PORT"),
        ("shop_waits", "3", "SHOP_WAIT_S"),
        ("SHOP_ZQX", "1", None),
        ("SHOP_KEY_FILES", "/x", "SHOP_KEY_FILE"),
        ("ATTEND_TOPIC_PREFX", "b.", "ATTEND_TOPIC_PREFIX"),
        ("KAFKA_BOOTSTRAP_SERVER", "k:9092", "KAFKA_BOOTSTRAP_SERVERS"),
    ],
)
def test_a_variable_that_nobody_reads_is_told_with_the_nearest_known_one(
    given: str, value: str, near: str | None
) -> None:
    assert list(unread(Settings, {given: value, "SHOP_TRIES": "3"})) == [(given, near)]


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("SHOP_TRIES", "3"),
        ("shop_tries", "3"),
        ("SHOP_LOG_LEVEL", "info"),
        ("ATTEND_HTTP_PORT", "8080"),
        ("SHOP_DATABASE_URL_FILE", "/run/secrets/x"),
        ("SHOP_OPERATOR_KEY_SHA256_FILE", "/run/secrets/x"),
        ("ATTEND_HOME", ".attend"),
        ("ATTEND_BOOKING_URL", "http://x"),
        ("BOOKING_HTTP_PORT", "1"),  # another service's
        ("SHOP_SERVICE_HOST", "10.0.0.1"),  # Kubernetes, of a Service named shop
        ("SHOP_SERVICE_PORT_API", "80"),
        ("SHOP_PORT", "tcp://10.0.0.1:80"),
        ("SHOP_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("PATH", "/bin"),
    ],
)
def test_what_is_read_or_is_somebody_elses_is_not_told(given: str, value: str) -> None:
    assert list(unread(Settings, {given: value})) == []


@pytest.mark.parametrize("service", ["booking", "records", "reminders", "notifier"])
def test_a_service_lists_what_it_can_be_told_without_any_environment(service: str) -> None:
    command = [sys.executable, "-m", service, "settings"]
    done = subprocess.run(command, env={}, capture_output=True, text=True, check=False)  # noqa: S603  # ours
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        f"{service.upper()}_DATABASE_URL\n    text; required; secret: {service.upper()}_DATABASE_URL_FILE"
        in done.stdout
    )


PROGRAM = """
import asyncio
from chassis.process.lifecycle import run
from records.settings import Settings
async def main(stop):
    return
run("records", Settings(database_url="x", kafka_bootstrap_servers="x"), main)
"""


def test_a_start_says_what_it_was_given_and_nobody_reads_and_never_the_value() -> None:
    given = os.environ | {"RECORDS_REPLACE_CLOSE": "canary"}
    done = subprocess.run(  # noqa: S603  # ours
        [sys.executable, "-c", PROGRAM], env=given, capture_output=True, text=True, check=True
    )
    told = [json.loads(line) for line in done.stdout.splitlines() if "settings.unknown" in line]
    assert [(one["variable"], one["did_you_mean"]) for one in told] == [
        ("RECORDS_REPLACE_CLOSE", "RECORDS_REPLACE_CLOSED")
    ]
    assert "canary" not in done.stdout + done.stderr
