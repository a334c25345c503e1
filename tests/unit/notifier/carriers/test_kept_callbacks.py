"""What a carrier sent is read again from the bytes that were kept of it: as it came, and for nobody else's account."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
import pytest

from notifier.callbacks.handle.intake import Batch, Came, Item, Unread
from notifier.carriers.kept_callbacks import reader
from notifier.carriers.meta import callbacks as meta
from notifier.carriers.twilio import callbacks as twilio
from notifier.receipts.domain import Carrier

ATTEMPT = UUID("01890000-0000-5000-8000-000000000005")
STATUS = {"id": "wamid.1", "status": "delivered", "biz_opaque_callback_data": str(ATTEMPT)}
STOP = {"id": "wamid.2", "from": "442071838750", "type": "text", "text": {"body": "STOP"}}
VALUE = {"metadata": {"phone_number_id": "20"}, "statuses": [STATUS], "messages": [STOP]}
CHANGE = {"field": "messages", "value": VALUE}
ODD = {"id": "wamid.3", "status": "dancing"}
ENTRY = {"id": "1", "changes": [CHANGE]}
READ = reader(lambda: "10")


def said(batch: Batch) -> list[Any]:
    return [one.said for one in (*batch.reports, *batch.answers)]


def pieces(batch: Batch) -> Sequence[Item[Any]]:
    return [*batch.reports, *batch.answers]


def form(text: str) -> bytes:
    return text.encode()


FORMS = {
    "a status": (f"status/{ATTEMPT}", form("MessageSid=SM1&MessageStatus=delivered&AccountSid=AC2")),
    "an answer": ("inbound", form("MessageSid=SM1&From=%2B442071838750&Body=STOP&AccountSid=AC2")),
}


@pytest.mark.parametrize("kept", FORMS.values(), ids=FORMS)
def test_a_form_of_twilios_is_read_again_as_said_by_the_account_that_signed_it(kept: tuple[str, bytes]) -> None:
    came_as, content = kept
    read = READ(Carrier.TWILIO, content, Came(came_as, "AC2"))

    [one] = pieces(read)
    assert one.said.account == "AC2"
    assert one.came == Came(came_as, "AC2")
    if came_as != "inbound":
        assert one.said.attempt_id == ATTEMPT


def test_each_item_of_a_body_of_metas_is_read_again_from_its_own_bytes_as_it_was() -> None:
    first = meta.read(orjson.dumps({"entry": [ENTRY]}), {"20", "30"}, "10")

    again = [READ(Carrier.META, one.content, one.came) for one in pieces(first)]

    assert [said(one) for one in again] == [[one.said] for one in pieces(first)]
    assert {one.said.account for one in pieces(first)} == {"20"}


@pytest.mark.parametrize(("came_as", "piece"), [("body", {"entry": [ENTRY]}), ("entry", ENTRY), ("change", CHANGE)])
def test_a_piece_of_a_body_speaks_for_those_who_signed_it_alone(came_as: str, piece: object) -> None:
    mine = READ(Carrier.META, orjson.dumps(piece), Came(came_as, "20 30"))
    theirs = READ(Carrier.META, orjson.dumps(piece), Came(came_as, "30"))

    assert (len(mine.reports), len(mine.answers), list(mine.unread)) == (1, 1, [])
    assert said(theirs) == []
    assert [one.reason for one in theirs.unread] == ["metadata.phone_number_id"]


@pytest.mark.parametrize(
    "body",
    [
        {"entry": [{**ENTRY, "changes": "none"}]},
        {"entry": [{**ENTRY, "changes": [{**CHANGE, "value": 7}]}]},
        {"entry": 7},
        {"entry": [{**ENTRY, "changes": [{**CHANGE, "value": {**VALUE, "statuses": [{"id": "x"}], "messages": []}}]}]},
        {"entry": [{**ENTRY, "changes": [{**CHANGE, "value": {"metadata": VALUE["metadata"], "statuses": [ODD]}}]}]},
    ],
)
def test_what_could_not_be_read_is_the_same_when_it_is_read_again(body: object) -> None:
    [unread] = meta.read(orjson.dumps(body), {"20"}, "10").unread

    assert READ(Carrier.META, unread.content, unread.came).unread == [unread]


@pytest.mark.parametrize(
    ("carrier", "content", "came"),
    [
        (Carrier.TWILIO, b"MessageSid=SM1&MessageStatus=sent", Came()),
        (Carrier.TWILIO, b"MessageSid=SM1&From=%2B4420&Body=x", Came("inbound")),
        (Carrier.TWILIO, "ü".encode(), Came("inbound", "AC2")),
        (Carrier.TWILIO, b"SM1 sent", Came("look-up", "AC2")),
        (Carrier.META, orjson.dumps(STATUS), Came()),
        (Carrier.META, orjson.dumps(STATUS), Came("statuses")),
        (Carrier.META, orjson.dumps(STATUS), Came("entry-of-a-later-release", "20")),
        (Carrier.META, b"{", Came("statuses", "20")),
    ],
)
def test_what_was_kept_without_what_is_needed_is_not_read_as_anything(
    carrier: Carrier, content: bytes, came: Came
) -> None:
    with pytest.raises(ValueError, match=r".*"):
        READ(carrier, content, came)


def test_a_mail_that_is_no_bounce_stays_none() -> None:
    assert READ(Carrier.EMAIL, b"hello", Came()).unread == [Unread("message/delivery-status", b"hello")]


def test_a_form_that_cannot_be_read_keeps_how_it_came() -> None:
    [unread] = twilio.read_status([("MessageSid", "SM1")], str(ATTEMPT), b"x").by("AC2", f"status/{ATTEMPT}").unread

    assert unread.came == Came(f"status/{ATTEMPT}", "AC2")
