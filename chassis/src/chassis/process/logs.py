"""Structured logs that never carry a person (G9, I13).

Every line is an event name and fields: ids, positions, codes. The redactor is the second line of
defence: fields with personal names are dropped, values that look like an address or a number are
masked, and an exception is shown by its type and place, its text only if it is ours.
"""

import logging
import re
import sys
import time
import traceback
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from chassis.process.errors import AttendError

REDACTED = "[redacted]"
PERSONAL = frozenset(
    {"name", "given_name", "family_name", "patient_name", "first_name", "last_name", "full_name", "birth_date"}
    | {"phone", "mobile", "telephone", "email", "mail", "address", "contact", "contacts", "recipient", "to"}
    | {"body", "text", "subject_line", "content", "value", "payload", "authorization", "key", "password", "token"}
)
"""Fields that are never written, whatever they hold."""

_EMAIL = re.compile(r"[^\s@<>\"'=,;:/]+@[^\s@<>\"',;/]+\.[^\s@<>\"',;/]+")
_INTERNATIONAL = re.compile(r"(?<!\w)(?:\+|00)\d(?:[ ()./-]{0,2}\d){6,14}(?!\w)")
_NATIONAL = re.compile(r"(?<![\w.:+-])\(?0\d{2,4}\)?[ ./-]?\d{3,4}[ ./-]?\d{3,4}(?![\w:-])")
_OWN_WORDS = (AttendError, OSError)  # their texts name hosts and places, never values of messages

EventDict = MutableMapping[str, Any]


def mask(text: str) -> str:
    """Return the text with everything that looks like an email address or a phone number masked."""
    if "@" in text:
        text = _EMAIL.sub(REDACTED, text)
    return _NATIONAL.sub(REDACTED, _INTERNATIONAL.sub(REDACTED, text))


def describe(error: BaseException) -> str:
    """Return what may be said of an exception: type, SQLSTATE, and the text only if it is known to be harmless."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(map(describe, leaves(error)))
    name = type(error).__name__
    if isinstance(error, _OWN_WORDS) or type(error).__module__.startswith("aiokafka"):
        return mask(f"{name}: {error}")
    sqlstate = getattr(error, "sqlstate", None)
    return f"{name} [{sqlstate}]" if sqlstate else name


def leaves(error: BaseException) -> list[BaseException]:
    """Return the exceptions that a group holds, however deep; of any other, itself."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for inner in error.exceptions for leaf in leaves(inner)]


def redact(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Drop personal fields and mask what looks personal, at any depth. A structlog processor."""
    for key, value in event.items():
        event[key] = REDACTED if key in PERSONAL else _clean(value)
    return event


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {key: REDACTED if key in PERSONAL else _clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(inner) for inner in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if isinstance(value, BaseException):
        return describe(value)
    return value if isinstance(value, int | float | bool | None) else mask(str(value))


def safe_exception(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Replace `exc_info` by types and places: texts and source lines may hold a person. A structlog processor."""
    info = event.pop("exc_info", None)
    error = info if isinstance(info, BaseException) else sys.exc_info()[1] if info is True else info and info[1]
    if not isinstance(error, BaseException):
        return event
    chain = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None and cause not in chain:
        chain.append(cause)
    event["error"] = " ← ".join(map(describe, chain))
    frames = [frame for leaf in leaves(error) for frame in traceback.extract_tb(leaf.__traceback__)[-8:]]
    event["at"] = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
    return event


class RateLimit(logging.Filter):
    """Lets one message of a kind pass every `every_s`: aiokafka says "Unable connect" twenty times a second."""

    def __init__(self, starts: tuple[str, ...], every_s: float = 10) -> None:
        super().__init__()
        self._starts = starts
        self._every_s = every_s
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """See `logging.Filter`."""
        text = str(record.msg)
        kind = next((start for start in self._starts if text.startswith(start)), None)
        if kind is None:
            return True
        now = time.monotonic()
        if now - self._last.get(kind, -self._every_s) < self._every_s:
            return False
        self._last[kind] = now
        return True


KAFKA_NOISE = (
    "Unable connect",
    "Unable to request metadata",
    "Failed fetch messages",
    "Heartbeat failed",
    "Group Coord",
)


def configure(service: str, level: str = "info", format: str = "json", stream: TextIO | None = None) -> None:
    """Send all logs of the process, also those of libraries, through the redactor to standard output.

    Args:
        level: debug, info, warning or error.
        format: json, or console for people.
    """
    threshold = logging.getLevelNamesMapping()[level.upper()]

    def add_service(_logger: Any, _method: str, event: EventDict) -> EventDict:
        event.setdefault("service", service)
        return event

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_service,
        safe_exception,
        redact,
    ]
    last: Any = (
        structlog.dev.ConsoleRenderer(colors=False) if format == "console" else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,  # else what was used before keeps the level and the stream of before
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.PositionalArgumentsFormatter(), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    handler.addFilter(RateLimit(KAFKA_NOISE))
    logging.basicConfig(handlers=[handler], level=threshold, force=True)
    logging.getLogger("aiokafka").setLevel(max(threshold, logging.WARNING))
    logging.getLogger("uvicorn").setLevel(max(threshold, logging.WARNING))
    for client in ("httpx2", "httpcore2"):  # they log every address asked for, and there may be a number in it (G9)
        logging.getLogger(client).setLevel(max(threshold, logging.WARNING))
    logging.captureWarnings(capture=True)


def get_logger() -> structlog.stdlib.BoundLogger:
    """Return the logger: `log.info("sub_file.created", appointment_id=…, took_ms=…)`."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger("attend")
    return logger
