"""Bad messages, and the answer that booking must give to each: nothing of them may leave a trace but a count."""

from dataclasses import dataclass

from stack.demo.client import Client, Refused


@dataclass(frozen=True, slots=True)
class Bad:
    """One message that must be refused."""

    what: str
    body: bytes
    answer: tuple[int, str]


def _event(appointment: str) -> bytes:
    return b'{"event_id":"bad","appointment":{"id":"bad-1","status":"booked","patient":{"id":"thames-p000"},%s}}' % (
        appointment.encode()
    )


BAD = (
    Bad("not JSON", b"not json", (400, "NOT_JSON")),
    Bad("cut off", b'{"event_id":"bad","appointment":{"id":', (400, "TRUNCATED_JSON")),
    Bad("a key twice", b'{"event_id":"a","event_id":"b","appointment":{}}', (400, "DUPLICATE_KEY")),
    Bad("not a number", _event('"clinic":"THAMES","start":NaN'), (400, "NOT_A_NUMBER")),
    Bad("unknown clinic", _event('"clinic":"NOWHERE","start":"2027-03-12T10:00:00Z"'), (422, "UNKNOWN_CLINIC")),
    Bad(
        "no such zone", _event('"clinic":"THAMES","start":"2027-03-12T10:00","zone":"Mars/Base"'), (422, "UNKNOWN_ZONE")
    ),
    Bad("starts at no time", _event('"clinic":"THAMES","start":"tomorrow at ten"'), (422, "BAD_TIME")),
)


async def try_all(client: Client) -> list[tuple[Bad, tuple[int, str | None]]]:
    """Post every bad message and return each with its answer."""
    answers: list[tuple[Bad, tuple[int, str | None]]] = []
    for bad in BAD:
        try:
            await client.ask("booking", "POST", "/v1/events", bad.body)
            answers.append((bad, (200, None)))
        except Refused as refused:
            answers.append((bad, (refused.status, refused.code)))
    return answers
