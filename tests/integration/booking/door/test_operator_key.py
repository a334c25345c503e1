"""The operator's key is never a client's (G9)."""

from hashlib import sha256

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from booking.__main__ import app
from booking.door import client_keys
from booking.door.domain import Client
from chassis.process.errors import Misconfigured
from tests.support.booking.door import Door
from tests.support.installation import Installation

pytestmark = pytest.mark.integration

SHARED = "one key for both, and long enough for any"
HASH = SecretStr(sha256(SHARED.encode()).hexdigest())


async def test_booking_does_not_start_while_a_client_has_the_operators_key(door: Door) -> None:
    await client_keys.create(door.pool, Client("both", ("both",)), SHARED)

    with pytest.raises(Misconfigured, match="also the key of the client both"):
        await client_keys.check_operator(door.pool, HASH)

    await client_keys.rotate(door.pool, "both", "another key of its own, as long as needed")
    await client_keys.check_operator(door.pool, HASH)
    await client_keys.check_operator(door.pool, None)


async def test_the_command_gives_it_to_no_client(base: Installation) -> None:
    environment = {**base.env, "ATTEND_OPERATOR_KEY_SHA256": HASH.get_secret_value()}
    for words in (["create", "both", "--source", "both"], ["rotate", "both"]):
        done = CliRunner().invoke(app, ["clients", *words, "--key-stdin"], input=f"{SHARED}\n", env=environment)

        assert done.exit_code == 2
        assert "the operator's key" in " ".join(done.output.replace("│", " ").split())
