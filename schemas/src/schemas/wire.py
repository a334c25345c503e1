"""How contracts become bytes, and how downstream ids are made (design §2)."""

import hashlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from uuid import NAMESPACE_URL, UUID, SafeUUID, uuid5

import orjson
from pydantic import TypeAdapter, ValidationError

from schemas.envelope import Received, event_type
from schemas.model import Contract
from schemas.zones import UnknownZone, zone_of

NAMESPACE = uuid5(NAMESPACE_URL, "https://attend.example/ids/v1")
"""Namespace of every derived id. Changing it changes every id: never do."""

_NAMESPACE_BYTES = NAMESPACE.bytes
_VERSION_BITS = (5 << 76) | (2 << 62)
_FREE_BITS = (1 << 128) - 1 - (15 << 76) - (3 << 62)
_new_uuid, _set = object.__new__, object.__setattr__


class Undecodable(ValueError):
    """A record that no retry will make readable.

    Attributes:
        code: UNKNOWN_TYPE, UNKNOWN_VERSION, NO_VALUE, INVALID or HEADER_NOT_UTF8.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def encode(body: Contract) -> bytes:
    """Return the JSON bytes of a contract, absent optional values left out."""
    return body.model_dump_json(exclude_none=True).encode()


@lru_cache
def _parser(model: type[Contract]) -> Callable[[bytes], Contract]:
    return TypeAdapter(model).validate_json


def decode[C: Contract](model: type[C], value: bytes | None) -> C:
    """Return the contract in `value`.

    Raises:
        Undecodable: No value, not JSON, or not of that shape. The message names the field and the
            rule it breaks, never the value (it may be personal).
    """
    if value is None:
        raise Undecodable("NO_VALUE", "record has no value")
    try:
        return _parser(model)(value)  # type: ignore[return-value]  # the adapter of `model` yields `model`
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"])) or "body"
        raise Undecodable("INVALID", f"{place}: {first['type']}") from None


def check_zone(name: str) -> None:
    """Say that a zone can be reckoned with: contracts carry it as a text.

    Raises:
        Undecodable: INVALID: no zone of the IANA list.
    """
    try:
        zone_of(name)
    except UnknownZone:
        raise Undecodable("INVALID", "zone: not of the IANA list") from None


def check_names(headers: Iterable[tuple[str, bytes | None]]) -> None:
    """Refuse header names that are no text; their bytes stand in them as lone surrogates (PEP 383).

    Raises:
        Undecodable: HEADER_NOT_UTF8.
    """
    for number, (name, _) in enumerate(headers):
        if not name.isascii():
            try:
                name.encode()
            except UnicodeEncodeError:
                raise Undecodable("HEADER_NOT_UTF8", f"the name of header {number} is not UTF-8") from None


def decode_typed(models: dict[str, type[Contract]], headers: Received, value: bytes | None) -> Contract:
    """Return the contract named by the record's `ce_type`.

    Args:
        models: Event type → model, for the types this reader knows.

    Raises:
        Undecodable: UNKNOWN_VERSION for a known name in another major version, UNKNOWN_TYPE for any
            other type, else as `decode`.
    """
    kind = event_type(headers)
    model = models.get(kind or "")
    if model is None:
        name = (kind or "").rpartition(".v")[0]
        known = any(name and name == other.rpartition(".v")[0] for other in models)
        raise Undecodable("UNKNOWN_VERSION" if known else "UNKNOWN_TYPE", f"ce_type {kind!r}")
    return decode(model, value)


def derived_id(*parts: str | int | UUID) -> UUID:
    """Return the UUIDv5 over the canonical JSON array of `parts`: the same parts, the same id."""
    name = orjson.dumps([p if isinstance(p, int) else str(p) for p in parts])
    digest = hashlib.sha1(_NAMESPACE_BYTES + name, usedforsecurity=False).digest()  # what uuid5 does, at half its price
    return _version_5(digest)


def _version_5(digest: bytes) -> UUID:
    """Return `UUID(bytes=digest[:16], version=5)`, without the checks that are most of its price."""
    made = _new_uuid(UUID)
    number = int.from_bytes(digest[:16]) & _FREE_BITS | _VERSION_BITS
    _set(made, "int", number)
    _set(made, "is_safe", SafeUUID.unknown)
    return made


_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


_WHOLE = ((b"", ""),)


def derived_text(name: str) -> str:
    """Return the text of `derived_id` for the canonical JSON array `name`: the same id, for who makes many."""
    (text,) = derived_texts(beginning(name), _WHOLE)
    return text


def beginning(name: str) -> bytes:
    """Return what names that begin alike have in common for `derived_texts`, made once for all of them."""
    return _NAMESPACE_BYTES + name.encode()


def derived_texts(begun: bytes, ends: Iterable[tuple[bytes, str]], before: str = "") -> list[str]:
    """Return, for the end of each name, `before`, its id and the text that follows it: for who writes many.

    Args:
        begun: A `beginning`.
    """
    sha1, variant, found = hashlib.sha1, _VARIANT, []
    for end, after in ends:
        digest = sha1(begun + end, usedforsecurity=False).hexdigest()
        found.append(
            f"{before}{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant[digest[16]]}{digest[17:20]}-{digest[20:32]}{after}"
        )
    return found


def event_id(appointment_id: UUID | str, version: int) -> UUID:
    """Id of one version of an appointment."""
    return derived_id("event", appointment_id, version)


def provider_id(source: str, source_provider_id: str) -> UUID:
    """Id of a provider, known or not yet, as one source calls him (D6)."""
    return derived_id("provider", source, source_provider_id)


def sub_file_id(patient_id: UUID | str, clinic_id: str, ordinal: int) -> UUID:
    """Id of a patient's `ordinal`-th sub-file at a clinic (D1)."""
    return derived_id("sub-file", patient_id, clinic_id, ordinal)


def reminder_id(appointment_id: UUID, schedule_gen: int, rule: str) -> UUID:
    """Id of one rule's reminder for one schedule."""
    return derived_id("reminder", appointment_id, schedule_gen, rule)


def notification_id(cause: tuple[str | int | UUID, ...], recipient: str, kind: str) -> UUID:
    """Id of one notification.

    Args:
        cause: (appointment_id, schedule_gen, transition), or (reminder_id,).
        recipient: The recipient slot: `patient` or `provider`.
    """
    return derived_id("notification", *cause, recipient, kind)
