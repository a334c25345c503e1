"""Every service's API as it is described: put together with nothing behind it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fastapi import FastAPI

import booking.wiring
import notifier.wiring.api
import records.wiring
import reminders.wiring

APIS: Mapping[str, Callable[[], FastAPI]] = {
    "booking": booking.wiring.unplugged,
    "records": records.wiring.unplugged,
    "reminders": reminders.wiring.unplugged,
    "notifier": notifier.wiring.api.unplugged,
}


def answers(described: Mapping[str, Any], operation: Mapping[str, Any]) -> dict[str, Any]:
    """Return each answer of an operation by its status, also those that are described once for all."""
    shared = described["components"].get("responses", {})
    return {
        status: shared[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
        for status, answer in operation["responses"].items()
    }


def operations(described: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each operation, with its method and path as a name."""
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation
