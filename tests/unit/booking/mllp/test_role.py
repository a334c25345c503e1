"""The role `mllp` does not start where everybody could book; and what it bears is what is set."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from booking.settings import Settings
from booking.wiring.mllp import build, new_id, patience_of
from chassis.process.errors import Misconfigured, Unavailable

EVERYWHERE = "0.0.0.0"  # noqa: S104  # nothing listens


def settings(**given: Any) -> Settings:
    url = SecretStr("postgresql://nobody:x@127.0.0.1:1/nothing")
    return Settings(database_url=url, kafka_bootstrap_servers="127.0.0.1:1", **given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "BOOKING_MLLP_CLIENT: missing"),
        ({"mllp_host": EVERYWHERE}, "BOOKING_MLLP_CLIENT: missing"),
        ({"mllp_client": "local", "mllp_host": EVERYWHERE}, "BOOKING_MLLP_ALLOW or BOOKING_MLLP_TLS_CLIENT_CA"),
        ({"mllp_client": "local", "mllp_host": "::"}, "whoever connects would book"),
        ({"mllp_client": "local", "mllp_host": "clinic.example"}, "whoever connects would book"),
        ({"mllp_client": "local", "mllp_tls_certificate": Path("/gone.pem")}, "/gone.pem: no certificate"),
        ({"mllp_client": "local", "organisation_zone": "Mars"}, "BOOKING_ORGANISATION_ZONE"),
    ],
)
async def test_what_would_let_everybody_in_or_nobody_is_said_before_anything_is_asked_for(
    given: dict[str, Any], said: str
) -> None:
    with pytest.raises(Misconfigured, match=said):
        async with build(settings(**given)):
            pass


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"mllp_host": "::1"},
        {"mllp_host": "localhost"},
        {"mllp_host": EVERYWHERE, "mllp_allow": "10.0.0.0/8"},
    ],
)
async def test_who_is_told_of_goes_on_to_the_database(given: dict[str, Any]) -> None:
    with pytest.raises(Unavailable, match="PostgreSQL"):
        async with build(settings(mllp_client="local", **given)):
            pass


def test_what_is_borne_is_what_is_set() -> None:
    found = patience_of(settings(mllp_max_connections=7, mllp_frame_bytes=2048, mllp_half_frame_s=5))
    assert (found.connections, found.frame, found.half_frame_s, found.idle_s) == (7, 2048, 5.0, None)
    assert patience_of(settings(mllp_idle_s=60)).idle_s == 60.0


def test_an_acknowledgement_has_an_id_of_its_own_that_every_version_takes() -> None:
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert max(map(len, ids)) <= 20
