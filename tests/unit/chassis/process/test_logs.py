"""No log line carries a person (G9, I13): canaries go in by every way, none comes out."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import date

import asyncpg
import pytest
from pydantic import BaseModel, ValidationError

from chassis.process import logs
from chassis.process.errors import Unavailable

CANARIES = ("Canary McCanaryface", "canary.person@example.org", "+44 7700 900123", "07700 900123", "+447700900123")


class Lines:
    """What was written so far."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def text(self) -> str:
        return self.stream.getvalue()

    def read(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.text().splitlines()]


@pytest.fixture
def lines() -> Iterator[Lines]:
    root, aiokafka = logging.getLogger(), logging.getLogger("aiokafka")
    kept, level = list(root.handlers), root.level
    written = Lines()
    logs.configure("shop", "debug", stream=written.stream)
    yield written
    root.handlers[:] = kept
    root.setLevel(level)
    aiokafka.setLevel(logging.NOTSET)
    logging.captureWarnings(capture=False)


def test_a_line_has_its_event_name_its_fields_and_the_service(lines: Lines) -> None:
    logs.get_logger().info("sub_file.created", partition=3, offset=17)

    (line,) = lines.read()
    assert (line["event"], line["level"], line["service"]) == ("sub_file.created", "info", "shop")
    assert (line["partition"], line["offset"]) == (3, 17)


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("field", ["given_name", "mobile", "email", "to", "name", "body", "recipient"])
def test_a_field_for_people_is_never_written(lines: Lines, field: str, canary: str) -> None:
    logs.get_logger().info("thing.happened", **{field: canary}, nested={"patient": [{field: canary}]})

    assert canary not in lines.text()
    assert "thing.happened" in lines.text()


@pytest.mark.parametrize("canary", CANARIES[1:])
def test_an_address_or_number_in_any_text_is_masked(lines: Lines, canary: str) -> None:
    logs.get_logger().info("thing.happened", note=f"asked by {canary}, twice", deep=[{"x": (canary,)}])
    logging.getLogger("some.library").warning("sent to %s", canary)

    assert canary not in lines.text()


@pytest.mark.parametrize("canary", CANARIES)
def test_the_text_of_a_foreign_exception_is_not_written(lines: Lines, canary: str) -> None:
    class Body(BaseModel):
        born: date

    for error in (ValueError(canary), asyncpg.UniqueViolationError(f"Key (email)=({canary}) exists")):
        try:
            raise error
        except (ValueError, asyncpg.PostgresError):
            logs.get_logger().exception("thing.failed")
    try:
        Body.model_validate({"born": canary})
    except ValidationError:
        logging.getLogger("some.library").exception("failed")

    written = lines.text()
    assert canary not in written
    assert "ValidationError" in written
    assert "23505" in written


def test_an_exception_of_ours_keeps_its_words_and_its_place(lines: Lines) -> None:
    try:
        raise Unavailable("KAFKA_UNAVAILABLE", "Kafka at 127.0.0.1:9092 does not answer")
    except Unavailable:
        logs.get_logger().exception("relay.failed")

    (line,) = lines.read()
    assert "Kafka at 127.0.0.1:9092 does not answer" in str(line["error"])
    assert "test_logs.py" in str(line["at"])


def test_a_group_of_exceptions_is_written_by_its_leaves_and_their_places(lines: Lines) -> None:
    try:
        raise ExceptionGroup("parts failed", [ExceptionGroup("", [Unavailable("GONE", "the broker")]), KeyError("x")])
    except ExceptionGroup:
        logs.get_logger().exception("service.failed")

    (line,) = lines.read()
    assert line["error"] == "Unavailable: GONE: the broker; KeyError"


@pytest.mark.parametrize(
    "harmless",
    [
        "019ab3f2-7c41-7d52-9a63-1f8e5a0b2c4d",
        "2026-11-24T16:58:15.525844+00:00",
        "FILE-2026-000123-ABC-01",
        "127.0.0.1:19092",
        "attend/records",
    ],
)
def test_ids_instants_and_file_numbers_pass(harmless: str) -> None:
    assert logs.mask(harmless) == harmless


def test_a_library_that_repeats_itself_is_written_once_in_ten_seconds(lines: Lines) -> None:
    for _ in range(50):
        logging.getLogger("aiokafka.conn").error("Unable connect to node with id %s", 1)

    assert len(lines.read()) == 1


@pytest.mark.parametrize("client", ["httpx2", "httpcore2.connection"])
def test_addresses_that_a_client_asks_for_are_not_written_even_when_debugging(lines: Lines, client: str) -> None:
    logging.getLogger(client).info("HTTP Request: %s %s", "GET", "https://carrier.example/?To=%2B447700900123")

    assert lines.text() == ""
