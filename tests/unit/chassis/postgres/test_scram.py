"""A password is told to PostgreSQL as its verifier (RFC 5802, RFC 7677)."""

import hashlib
import hmac
from base64 import b64decode

import pytest

from chassis.postgres.scram import ITERATIONS, verifier
from chassis.process.errors import Misconfigured


def test_a_verifier_is_what_the_client_proof_of_rfc_7677_is_checked_against() -> None:
    """The example of RFC 7677, section 3: its proof must lead to the StoredKey that we would have kept."""
    salt, password = b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), "pencil"
    authentication = (
        b"n=user,r=rOprNGfwEbeRWgbNEkqO,"
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    )
    proof = b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    signed = b64decode("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")

    iterations, _, stored, server = _parts(verifier(password, salt))

    signature = hmac.digest(stored, authentication, "sha256")
    client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
    assert iterations == ITERATIONS
    assert hashlib.sha256(client_key).digest() == stored
    assert hmac.digest(server, authentication, "sha256") == signed


def test_each_has_a_salt_of_its_own_and_shows_nothing_of_the_password() -> None:
    one, other = verifier("correct horse"), verifier("correct horse")

    assert one != other
    assert "horse" not in one


@pytest.mark.parametrize("password", ["", "schlüssel", "a\nb", "a\x00b", "\xa0x"])
def test_a_password_that_clients_would_prepare_differently_is_refused(password: str) -> None:
    with pytest.raises(Misconfigured, match="printable ASCII"):
        verifier(password)


def _parts(text: str) -> tuple[int, bytes, bytes, bytes]:
    scheme, numbers, keys = text.split("$")
    assert scheme == "SCRAM-SHA-256"
    iterations, salt = numbers.split(":")
    stored, server = keys.split(":")
    return int(iterations), b64decode(salt), b64decode(stored), b64decode(server)
