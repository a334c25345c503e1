"""TLS of the listener, with certificates made for the test."""

import contextlib
import ssl
from pathlib import Path

import pytest
import trustme

from booking.mllp.connection import Patience
from booking.mllp.encryption import Encryption, context
from booking.mllp.frames import framed
from chassis.process.errors import Misconfigured
from tests.support.waiting import until
from tests.unit.booking.mllp.conftest import Listen, Peer, message

A = message("a")


class Files:
    """Ours, and those of two authorities that sign senders."""

    def __init__(self, folder: Path) -> None:
        self.ours, self.theirs, self.others = trustme.CA(), trustme.CA(), trustme.CA()
        self.certificate, self.key, self.client_ca = (folder / name for name in ("ours.pem", "ours.key", "theirs.pem"))
        self.renew()
        self.theirs.cert_pem.write_to_path(self.client_ca)

    def renew(self) -> trustme.LeafCert:
        """Write another certificate of ours with its key."""
        leaf = self.ours.issue_cert("localhost")
        self.write(leaf.cert_chain_pems[0], self.certificate)
        self.write(leaf.private_key_pem, self.key)
        return leaf

    def write(self, pem: trustme.Blob, file: Path) -> None:
        """Put a file in the place of another, as renewing programs do."""
        beside = file.with_suffix(".new")
        pem.write_to_path(beside)
        beside.replace(file)

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


def number(peer: Peer) -> int:
    """Return the serial number of the certificate that a peer was shown."""
    return int(peer.writer.get_extra_info("peercert")["serialNumber"], 16)


async def test_a_renewed_certificate_is_shown_to_the_next_peer_and_ends_no_connection(
    listen: Listen, files: Files
) -> None:
    one = await listen(tls=Encryption(files.certificate, files.key, None))
    before = await one.peer(ssl=files.sender(), server_hostname="localhost")
    leaf = files.renew()
    after = await one.peer(ssl=files.sender(), server_hostname="localhost")
    shown = ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())
    assert after.writer.get_extra_info("ssl_object").getpeercert(binary_form=True) == shown
    assert number(before) != number(after)
    for peer in (before, after):
        await peer.send(framed([A]))
        assert await peer.answers(1) == [("AA", "a")]


async def test_while_a_renewed_certificate_lacks_its_key_the_one_of_before_is_shown(
    listen: Listen, files: Files
) -> None:
    one = await listen(tls=Encryption(files.certificate, files.key, None))
    first = await one.peer(ssl=files.sender(), server_hostname="localhost")
    leaf = files.ours.issue_cert("localhost")
    files.write(leaf.cert_chain_pems[0], files.certificate)
    half = await one.peer(ssl=files.sender(), server_hostname="localhost")
    files.certificate.unlink()
    none = await one.peer(ssl=files.sender(), server_hostname="localhost")
    files.write(leaf.cert_chain_pems[0], files.certificate)
    files.write(leaf.private_key_pem, files.key)
    whole = await one.peer(ssl=files.sender(), server_hostname="localhost")
    assert number(first) == number(half) == number(none) != number(whole)


async def test_who_may_send_is_read_anew_too(listen: Listen, files: Files) -> None:
    one = await listen(tls=Encryption(files.certificate, files.key, files.client_ca))
    files.write(files.others.cert_pem, files.client_ca)
    peer = await one.peer(ssl=files.sender(files.others), server_hostname="localhost")
    await peer.send(framed([A]))
    assert await peer.answers(1) == [("AA", "a")]


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
