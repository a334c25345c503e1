"""A change in part: JSON Merge Patch (RFC 7396), decided on the version that `If-Match` names, if it names one."""

from typing import Annotated, Any

from fastapi import Header, Request
from pydantic import BaseModel

from booking.door.bodies import described, with_fate
from chassis.api.app import Problem

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"

IfMatch = Annotated[
    str | None, Header(description='The version on which it was decided, as the ETag says it: `"3"`; else 412.')
]

ID = "What the source calls it; or our id, if no source is named."


def merge_patch_schema(model: type[BaseModel], examples: dict[str, Any], text: str) -> dict[str, Any]:
    """Return the OpenAPI of a body that changes some fields of the model; `text` says what it is."""
    content = described(model, examples)
    types = {MERGE_PATCH: content, "application/json": content}
    return {"requestBody": {"required": True, "description": with_fate(model, text), "content": types}}


def check_merge_patch(request: Request) -> None:
    """Refuse a body that says it is a JSON Patch (RFC 6902): a list of steps, which means something else."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == JSON_PATCH:
        detail = f"Send what changes as {MERGE_PATCH}: the fields, and null for what goes."
        raise Problem(415, "UNSUPPORTED_MEDIA_TYPE", detail, [{"place": "header.content-type", "code": "WRONG_TYPE"}])


def etag(version: int) -> str:
    """Return the version as the header ETag holds it."""
    return f'"{version}"'
