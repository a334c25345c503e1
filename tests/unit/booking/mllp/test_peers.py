"""Who may connect over MLLP, and for whom he speaks; and what cannot be meant is said at the start."""

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from booking.mllp.peers import Peers
from booking.settings import Settings
from chassis.process.errors import Misconfigured
from chassis.process.settings import load


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("10.1.2.3", True),
        ("10.2.2.3", False),
        ("192.0.2.7", True),
        ("192.0.2.8", False),
        ("::ffff:10.1.2.3", True),
        ("::1", True),
        ("fe80::1%eth0", True),
        ("2001:db8::1", False),
    ],
)
def test_an_address_is_in_a_range_also_where_both_kinds_are_heard(address: str, may: bool) -> None:
    peers = Peers(["10.1.0.0/16", "192.0.2.7", "::1", "fe80::/10"])
    assert peers.may_connect(address) is may
    assert Peers().may_connect(address)


SOURCES = {"10.0.0.0/8": "group", "10.1.0.0/16": "lab", "10.1.2.3": "ris", "epic.example": "epic"}
CERTIFICATE = {"subject": ((("organizationName", "Epic"),), (("commonName", "epic.example"),))}


@pytest.mark.parametrize(
    ("address", "certificate", "source"),
    [
        ("10.1.2.3", None, "ris"),
        ("10.1.2.4", {}, "lab"),
        ("10.2.0.1", None, "group"),
        ("192.0.2.1", None, None),
        ("10.1.2.3", CERTIFICATE, "epic"),
        ("10.1.2.3", {"subject": (), "subjectAltName": (("DNS", "epic.example"),)}, "epic"),
        ("10.1.2.3", {"subject": (), "subjectAltName": (("email", "epic.example"),)}, "ris"),
        ("192.0.2.1", {"subject": ((("commonName", "other.example"),),)}, None),
    ],
)
def test_a_name_wins_over_an_address_and_a_small_range_over_a_large_one(
    address: str, certificate: dict[str, Any] | None, source: str | None
) -> None:
    assert Peers(sources=SOURCES).source(address, certificate) == source


def settings(**given: Any) -> Settings:
    return Settings(database_url=SecretStr("x"), kafka_bootstrap_servers="x", **given)


def test_what_is_set_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ALLOW": "10.1.0.0/16, ::1", "SOURCES": '{"10.1.2.3": "ris"}'}.items():
        monkeypatch.setenv(f"BOOKING_MLLP_{name}", value)
    found = settings()
    assert (found.mllp_allow, found.mllp_sources) == (("10.1.0.0/16", "::1"), {"10.1.2.3": "ris"})
    monkeypatch.setenv("BOOKING_DATABASE_URL", "x")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "x")
    monkeypatch.setenv("BOOKING_MLLP_ALLOW", "10.1.2.3/16")
    with pytest.raises(Misconfigured, match=r"BOOKING_MLLP_ALLOW: .*10\.1\.2\.3/16 has host bits set"):
        load(Settings)


@pytest.mark.parametrize(
    "given",
    [
        {"mllp_allow": "clinic.example"},
        {"mllp_sources": {"10.1.2.3/16": "ris"}},
        {"mllp_sources": {"10.1.2.3": ""}},
        {"mllp_sources": {"": "ris"}},
        {"mllp_tls_client_ca": "theirs.pem"},
        {"mllp_tls_key": "ours.key"},
        {"mllp_max_connections": 0},
        {"mllp_half_frame_s": 0},
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**given)
