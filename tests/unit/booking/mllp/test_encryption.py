"""TLS of the listener, with certificates made for the test."""

import contextlib
import ssl
from pathlib import Path

import pytest
import trustme

from booking.mllp.connection import Patience
from booking.mllp.encryption import context
from booking.mllp.frames import framed
from chassis.process.errors import Misconfigured
from tests.support.waiting import until
from tests.unit.booking.mllp.conftest import Listen, message

A = message("a")


class Files:
    """Ours, and those of two authorities that sign senders."""

    def __init__(self, folder: Path) -> None:
        self.ours, self.theirs, self.others = trustme.CA(), trustme.CA(), trustme.CA()
        leaf = self.ours.issue_cert("localhost")
        self.certificate, self.key, self.client_ca = (folder / name for name in ("ours.pem", "ours.key", "theirs.pem"))
        leaf.cert_chain_pems[0].write_to_path(self.certificate)
        leaf.private_key_pem.write_to_path(self.key)
        self.theirs.cert_pem.write_to_path(self.client_ca)

    def sender(self, signed_by: trustme.CA | None = None, name: str = "epic.example") -> ssl.SSLContext:
        sending = ssl.create_default_context()
        self.ours.configure_trust(sending)
        if signed_by is not None:
            signed_by.issue_cert(f"dns.{name}", common_name=name).configure_cert(sending)
        return sending


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


async def test_messages_are_taken_encrypted(listen: Listen, files: Files) -> None:
    one = await listen(tls=context(files.certificate, files.key, None))
    peer = await one.peer(ssl=files.sender(), server_hostname="localhost")
    await peer.send(framed([A]))
    assert await peer.answers(1) == [("AA", "a")]
    await one.end()
    assert await peer.ended() == b""


@pytest.mark.parametrize("named", ["epic.example", "dns.epic.example"])
async def test_a_certificate_says_for_which_source_its_sender_speaks(listen: Listen, files: Files, named: str) -> None:
    tls = context(files.certificate, files.key, files.client_ca)
    one = await listen(tls=tls, sources={named: "epic", "127.0.0.1": "nearby"})
    for name in ("epic.example", "other.example"):
        peer = await one.peer(ssl=files.sender(files.theirs, name), server_hostname="localhost")
        await peer.send(framed([A]))
        assert await peer.answers(1) == [("AA", "a")]
    assert one.door.sources == {"epic", "nearby"}


@pytest.mark.parametrize("signed_by", ["nobody", "others"])
async def test_who_shows_no_certificate_that_is_trusted_is_turned_away(
    listen: Listen, files: Files, signed_by: str
) -> None:
    one = await listen(tls=context(files.certificate, files.key, files.client_ca))
    sending = files.sender(files.others if signed_by == "others" else None)
    with contextlib.suppress(OSError):  # of TLS too; with 1.3 he is told only when he reads
        peer = await one.peer(ssl=sending, server_hostname="localhost")
        await peer.send(framed([A]))
        assert await peer.reader.read() == b""
    await until(lambda: one.count("turned_away_total", reason="TLS") == 1)
    assert one.door.calls == 0


async def test_who_does_not_speak_tls_is_turned_away_in_time(listen: Listen, files: Files) -> None:
    one = await listen(Patience(handshake_s=0.05), tls=context(files.certificate, files.key, None))
    plain, silent = await one.peer(), await one.peer()
    await plain.send(framed([A]))
    await plain.ended()
    await silent.ended()
    await until(lambda: one.count("turned_away_total", reason="TLS") == 2)
    assert one.count("connections") == 0


async def test_told_to_stop_it_does_not_wait_for_who_has_not_begun_to_encrypt(listen: Listen, files: Files) -> None:
    one = await listen(tls=context(files.certificate, files.key, None))
    silent = await one.peer()
    await until(lambda: one.count("connections") == 1)
    await one.end()
    assert await silent.ended() == b""


def test_files_that_are_no_certificates_are_named(files: Files, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    for arguments, said in {
        (empty, None, None): "empty.pem: no certificate with its key",
        (files.certificate, tmp_path / "gone", None): "gone: no certificate with its key in PEM: No such file",
        (files.certificate, files.key, empty): "empty.pem: no certificates in PEM",
    }.items():
        with pytest.raises(Misconfigured, match=said):
            context(*arguments)
