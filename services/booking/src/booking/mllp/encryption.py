"""TLS of the listener: its certificate, and whose certificates it takes."""

import ssl
from pathlib import Path

from chassis.process.errors import Misconfigured


def context(certificate: Path, key: Path | None, client_ca: Path | None) -> ssl.SSLContext:
    """Return what encrypts connections, in TLS 1.2 or newer.

    Args:
        certificate: PEM file, the chain with it.
        key: PEM file; None: it is in the certificate's.
        client_ca: PEM file of those who sign the certificates of senders; with it who shows none is turned away. None:
            nobody is asked for one.

    Raises:
        Misconfigured: A file cannot be read, or is of another kind.
    """
    found = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    found.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        found.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        named = f"{certificate}" if key is None else f"{certificate} and {key}"
        raise Misconfigured(f"{named}: no certificate with its key in PEM: {_why(error)}") from None
    if client_ca is not None:
        try:
            found.load_verify_locations(client_ca)
        except (OSError, ssl.SSLError) as error:
            raise Misconfigured(f"{client_ca}: no certificates in PEM: {_why(error)}") from None
        found.verify_mode = ssl.CERT_REQUIRED
    return found


def _why(error: OSError) -> str:
    return error.strerror or (error.reason if isinstance(error, ssl.SSLError) else "") or type(error).__name__
