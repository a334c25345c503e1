"""SMS of unknown outcome, looked for in Twilio's list: found is settled, not found never is (G5)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from pydantic import SecretStr

from chassis.process.clock import SteppedClock
from notifier.callbacks.handle.intake import Intake
from notifier.callbacks.store import PostgresUnreadables
from notifier.carriers.http_client import new_client
from notifier.carriers.twilio.carrier import TwilioAccount
from notifier.carriers.twilio.search import LookUp
from notifier.receipts.store import PostgresReceipts
from notifier.replies.store import PostgresReplies
from notifier.wiring.waking import Waking
from tests.support.notifier.callbacks import secrets
from tests.support.notifier.running import RunningNotifier

pytestmark = pytest.mark.integration

ACCOUNT = TwilioAccount("AC" + "0" * 32, SecretStr("any"), "+15005550006")


class TwilioList:
    """A carrier that lists what it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.answer: bytes = b'{"messages": []}'
        self.asked: list[dict[str, list[str]]] = []

    def lists(self, *sids: str, direction: str = "outbound-api") -> None:
        """List these messages, made now."""
        now = format_datetime(datetime.now(UTC))
        self.answer = orjson.dumps(
            {"messages": [{"sid": s, "status": "delivered", "direction": direction, "date_created": now} for s in sids]}
        )

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(parse_qs(urlsplit(head.split()[1].decode()).query))
        if any(sid in head.decode() for sid in self.refused):
            writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            writer.close()
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(self.answer))
        writer.write(self.answer)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def looking(
    notifier: RunningNotifier, accounts: Callable[[str], TwilioAccount] = lambda _: ACCOUNT
) -> AsyncIterator[tuple[LookUp, TwilioList]]:
    """Give a look-up that looks at once, and the list that it looks into."""
    listing = TwilioList()
    async with await asyncio.start_server(listing.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with new_client(f"http://127.0.0.1:{port}", 10, 1) as client:
            clock = SteppedClock(notifier.clock_file)
            intake = Intake(
                PostgresReceipts(notifier.pool, notifier.peppers),
                PostgresReplies(
                    notifier.pool, notifier.peppers, Waking(notifier.settings(), notifier.peppers).of_address
                ),
                PostgresUnreadables(notifier.pool, clock), notifier.peppers, clock, lambda *_: None, lambda: None,
            )  # fmt: skip
            made = LookUp(notifier.pool, client, accounts, notifier.peppers, intake, 0, 0)
            yield made, listing


async def test_what_the_carrier_lists_is_settled_and_what_it_does_not_stays_unknown(notifier: RunningNotifier) -> None:
    patient = await notifier.patient()
    mobile = await notifier.address(patient, "mobile")
    notifier.carriers.script(mobile, "cut")
    await notifier.start(**secrets())
    visit = await notifier.book(patient)
    await notifier.settled(visit, "confirmation", "accepted")
    await notifier.due(visit)
    row = await notifier.settled(visit, "reminder", "unknown")

    async with looking(notifier) as (look_up, listing):
        assert await look_up.round() == 0
        listing.lists("SM-a", "SM-b")
        assert await look_up.round() == 0
        listing.lists("SM-in", direction="inbound")
        assert await look_up.round() == 0
        assert (await notifier.settled(visit, "reminder", "unknown"))["version"] == 1
        listing.answer = b"<html>"
        assert await look_up.round() == 0
        listing.lists("SM-a")
        assert await look_up.round() == 1
        assert await look_up.round() == 0

    found = await notifier.settled(visit, "reminder", "accepted")
    assert (found["delivery_state"], found["version"]) == ("delivered", 2)
    made = await notifier.pool.fetchrow("SELECT * FROM attempt WHERE attempt_id = $1", row["attempt_id"])
    assert made is not None
    assert (made["outcome"], made["reference"]) == ("accepted", "SM-a")
    assert listing.asked[0]["To"] == [mobile]
    assert len(notifier.carriers.to(mobile)) == 1


async def test_an_account_that_does_not_list_keeps_no_other_clinic_from_being_looked_up(
    notifier: RunningNotifier,
) -> None:
    await notifier.clinic("SOUTH")
    await notifier.start(**secrets())
    visits = {}
    for clinic in ("NORTH", "SOUTH"):
        patient = await notifier.patient()
        notifier.carriers.script(await notifier.address(patient, "mobile"), "cut")
        visit = await notifier.book(patient, clinic=clinic)
        await notifier.settled(visit, "confirmation", "accepted")
        await notifier.due(visit)
        await notifier.settled(visit, "reminder", "unknown")
        visits[clinic] = visit
    accounts = {
        clinic: TwilioAccount(f"AC{number:032}", SecretStr("any"), "+15005550006")
        for number, clinic in enumerate(visits)
    }

    for refused, found in (("SOUTH", "NORTH"), ("NORTH", "SOUTH")):
        async with looking(notifier, accounts.__getitem__) as (look_up, listing):
            listing.refused = {accounts[refused].sid}
            listing.lists(f"SM-{found}")
            assert await look_up.round() == 1
        await notifier.settled(visits[found], "reminder", "accepted")
        if found == "NORTH":
            await notifier.settled(visits[refused], "reminder", "unknown")


async def test_a_message_of_the_list_that_cannot_be_read_hides_none_beside_it(notifier: RunningNotifier) -> None:
    await notifier.start(**secrets())
    patient = await notifier.patient()
    notifier.carriers.script(await notifier.address(patient, "mobile"), "cut")
    visit = await notifier.book(patient)
    await notifier.settled(visit, "confirmation", "accepted")
    await notifier.due(visit)
    row = await notifier.settled(visit, "reminder", "unknown")

    async with looking(notifier) as (look_up, listing):
        listing.lists("SM-a")
        [good] = orjson.loads(listing.answer)["messages"]
        odd = [{"sid": "SM-in", "direction": "inbound"}, {**good, "sid": "SM-known", "date_created": None}]
        await notifier.pool.execute(
            "UPDATE attempt SET reference = $2, channel = 'sms' WHERE notification_id <> $1",
            row["notification_id"], "SM-known",
        )  # fmt: skip
        listing.answer = orjson.dumps({"messages": [*odd, good]})
        assert await look_up.round() == 1
    await notifier.settled(visit, "reminder", "accepted")


async def test_one_attempt_that_cannot_be_looked_for_keeps_no_other_from_being_found(notifier: RunningNotifier) -> None:
    await notifier.clinic("SOUTH")
    await notifier.start(**secrets())
    visits = {}
    for clinic in ("NORTH", "SOUTH"):
        patient = await notifier.patient(email=None)
        notifier.carriers.script(await notifier.address(patient, "mobile"), "cut")
        visit = notifier.visit(patient, clinic=clinic)
        await notifier.hold(visit)
        await notifier.due(visit)
        await notifier.settled(visit, "reminder", "unknown")
        visits[clinic] = visit

    for known, lost in (("NORTH", "SOUTH"), ("SOUTH", "NORTH")):
        async with looking(notifier, {known: ACCOUNT}.__getitem__) as (look_up, listing):
            listing.lists(f"SM-{known}")
            assert await look_up.round() == 1, lost
        await notifier.settled(visits[known], "reminder", "accepted")
