"""A password as PostgreSQL keeps it: the SCRAM-SHA-256 verifier of RFC 5802 and RFC 7677.

`ALTER ROLE … PASSWORD` takes it in place of the password, whose text would stand in the server's log and in
`pg_stat_activity`.
"""

import hashlib
import hmac
import os
from base64 import b64encode

from chassis.process.errors import Misconfigured

ITERATIONS = 4096
"""PostgreSQL's own number, and the least that RFC 7677 allows. Ours are long random passwords."""
SALT_BYTES = 16


def verifier(password: str, salt: bytes | None = None) -> str:
    """Return `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, with a new salt unless one is given.

    Raises:
        Misconfigured: The password is empty, or has characters that clients would prepare in ways of their own
            (SASLprep, RFC 4013).
    """
    if not password or not password.isascii() or not password.isprintable():
        raise Misconfigured("the password in a database URL is of printable ASCII characters, at least one")
    salt = salt or os.urandom(SALT_BYTES)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored_key = hashlib.sha256(_hmac(salted, b"Client Key")).digest()
    server_key = _hmac(salted, b"Server Key")
    encoded = (b64encode(part).decode() for part in (salt, stored_key, server_key))
    return "SCRAM-SHA-256${}:{}${}:{}".format(ITERATIONS, *encoded)


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")
