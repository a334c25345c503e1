"""What cannot be read at the end of a topic never hides what can: the look goes on behind it (0019, 0026)."""

import pytest

from chassis.delivery.high_water import Ends, Owned
from chassis.kafka import unpacked_size
from chassis.process.errors import Misconfigured
from tests.integration.chassis.ledger.apply import ORDERS
from tests.integration.chassis.ledger.service import LedgerService, orders
from tests.support.raw_batches import ZSTD, NotText, batch

KNOWN = Owned(ORDERS, "entity", str, "SELECT unnest($1::text[]), 1")
"""A database that knows every entity in its first version."""


def strange_name() -> bytes:
    return batch((b"key", b'{"entity":"odd","version":1}', [(NotText("caf\xe9"), b"x")]), codec=ZSTD)


def torn() -> bytes:
    return batch((b"key", b"value", ()), (b"key", b"value", ()), odd_attributes=True)


def huge() -> bytes:
    return batch((b"key", bytes(unpacked_size.MOST_BYTES), ()), codec=ZSTD)


UNREADABLE = [strange_name, torn, huge]


@pytest.mark.parametrize("raw", [make() for make in UNREADABLE], ids=[make.__name__ for make in UNREADABLE])
async def test_a_version_behind_what_cannot_be_read_is_compared(ledger: LedgerService, raw: bytes) -> None:
    await ledger.produce(orders(3))
    await ledger.append(raw)
    await ledger.append(raw)
    await ledger.produce(orders(3, first=3))
    ends = Ends(ledger.pool, ledger.settings, "ledger", [KNOWN])
    await ends.compare()

    await ledger.append(raw)
    await ledger.produce([{"entity": "e00001", "version": 2}])

    with pytest.raises(Misconfigured, match="version 2 of e00001"):
        await ends.compare()


async def test_a_version_in_a_batch_of_which_one_record_cannot_be_read_is_compared(ledger: LedgerService) -> None:
    await ledger.append(
        batch(
            (b"key", b'{"entity":"a","version":1}', [(NotText("\xff"), b"x")]),
            (b"key", b'{"entity":"b","version":2}', ()),
        ),
    )

    with pytest.raises(Misconfigured, match="version 2 of b"):
        await Ends(ledger.pool, ledger.settings, "ledger", [KNOWN]).compare()
