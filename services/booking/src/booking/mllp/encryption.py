"""TLS of the listener: its certificate, and whose certificates it takes."""

import ssl
from collections.abc import Sequence
from pathlib import Path

from chassis.process.errors import Misconfigured
from chassis.process.logs import get_logger


class Encryption:
    """The certificate as its files are: one that was renewed is read for the next connection, and ends none that is.

    While a file is half written, or its key is not there yet, the log tells, and the one of before goes on.

    Args:
        certificate: See `context`.

    Raises:
        Misconfigured: A file cannot be read, or is of another kind.
    """

    def __init__(self, certificate: Path, key: Path | None, client_ca: Path | None) -> None:
        self._files = (certificate, key, client_ca)
        self._stamps = _stamps(self._files)
        self._context = context(*self._files)
        self._log = get_logger()

    def __call__(self) -> ssl.SSLContext:
        """Return what encrypts the next connection."""
        stamps = _stamps(self._files)
        if stamps != self._stamps:
            self._stamps = stamps
            try:
                self._context = context(*self._files)
            except Misconfigured as error:
                self._log.warning("mllp.certificate_not_read", reason_text=str(error))
            else:
                self._log.info("mllp.certificate_read")
        return self._context


def _stamps(files: Sequence[Path | None]) -> Sequence[tuple[int, int, int] | None]:
    """Return by what files differ from what they were before; None: there is none."""
    found: list[tuple[int, int, int] | None] = []
    for file in files:
        try:
            about = None if file is None else file.stat()
        except OSError:
            about = None
        found.append(about and (about.st_mtime_ns, about.st_size, about.st_ino))
    return found


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
