"""An order of staff that has a field which nobody knows is refused by every service, at every depth (0047)."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel

from chassis.api.known_fields import models_in
from tests.support.described import APIS


def bodies(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models of a body and those inside of them."""
    for model in models_in(annotation):
        yield model
        for field in model.model_fields.values():
            yield from bodies(field.annotation)


def declared(service: str) -> set[type[BaseModel]]:
    """Return the models of the bodies that routes declare."""
    contexts: list[Any] = [one for one in iter_route_contexts(APIS[service]().routes) if hasattr(one, "body_field")]
    fields = [one.body_field for one in contexts if one.body_field is not None]
    return {model for field in fields for model in bodies(field.field_info.annotation)}


def test_bodies_are_found() -> None:
    assert {"ActBody", "ModeBody"} <= {model.__name__ for service in APIS for model in declared(service)}


@pytest.mark.parametrize("service", APIS)
def test_every_body_that_a_route_declares_forbids_what_it_does_not_know(service: str) -> None:
    found = declared(service)
    assert [model.__name__ for model in found if model.model_config.get("extra") != "forbid"] == []
