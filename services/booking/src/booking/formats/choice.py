"""Which format a body is in: by the type that came with it."""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from booking.formats.port import Format
from booking.values import texts
from booking.values.refusals import Refused

CONTENT_TYPE = "content-type"
"""Header of a record of a topic, as Kafka's binding of CloudEvents names it."""


class Formats:
    """The formats that an installation reads.

    What names none of them is read as the first: `curl -d` says that it sends a form, and most records say nothing.
    """

    def __init__(self, *formats: Format) -> None:
        self.all: Sequence[Format] = formats
        self._by_media_type = _by_type((type_, one) for one in formats for type_ in one.media_types)
        self._by_content_type = _by_type((type_, one) for one in formats for type_ in one.topic_content_types)

    def of_request(self, content_type: str | None) -> Format:
        """Return the format of a request's body.

        Args:
            content_type: The header `Content-Type`, parameters and all.
        """
        return self._by_media_type.get(_bare(content_type or ""), self.all[0])

    def of_record(self, headers: Iterable[tuple[str, bytes | None]]) -> Format:
        """Return the format of a record's value.

        Args:
            headers: The record's, of which the first `content-type` counts.
        """
        named = next((value for name, value in headers if name.lower() == CONTENT_TYPE), None)
        return self._by_content_type.get(_bare((named or b"").decode("latin-1")), self.all[0])

    def event_id(self, body: bytes, named: Format) -> str | None:
        """Return which event a refused body is, by the format it is said to be in, else by any; None: none tells."""
        for one in (named, *self.all):
            with suppress(Refused, UnicodeDecodeError):
                found = one.event_id(body)
                if isinstance(found, str):
                    return texts.identifier(found, "event_id")
        return None


def _by_type(pairs: Iterable[tuple[str, Format]]) -> dict[str, Format]:
    found: dict[str, Format] = {}
    for type_, one in pairs:
        if type_ in found:
            raise ValueError(f"two formats declare {type_}")
        found[type_] = one
    return found


def _bare(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
