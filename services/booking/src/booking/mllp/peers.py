"""Who may connect, and for which source he speaks: by his address, and by his certificate."""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

type Network = IPv4Network | IPv6Network


def network(text: str) -> Network | None:
    """Return the range of addresses that a text names, such as `10.1.0.0/16` or `10.1.2.3`; None if it names none."""
    try:
        return ip_network(text)
    except ValueError:
        return None


class Peers:
    """Knows the peers of a listener.

    Args:
        allowed: Ranges of addresses that may connect; none: all.
        sources: A range of addresses, or a name of a certificate (its common name, or a DNS name), → a source. A name
            wins over an address, and a small range over a large one.
    """

    def __init__(self, allowed: Sequence[str] = (), sources: Mapping[str, str] | None = None) -> None:
        self._allowed = [ip_network(text) for text in allowed]
        self._named = {name: source for name, source in (sources or {}).items() if network(name) is None}
        ranges = [(found, source) for text, source in (sources or {}).items() if (found := network(text)) is not None]
        self._ranges = sorted(ranges, key=lambda one: one[0].prefixlen, reverse=True)

    def may_connect(self, address: str) -> bool:
        """Say whether an address is in one of the ranges."""
        return not self._allowed or any(_is_in(address, allowed) for allowed in self._allowed)

    def source(self, address: str, certificate: Mapping[str, Any] | None) -> str | None:
        """Return the source for which a peer speaks; None where nothing says so.

        Args:
            certificate: As `ssl` gives it; None or empty: he showed none.
        """
        named = (self._named[name] for name in _names(certificate or {}) if name in self._named)
        ranged = (source for found, source in self._ranges if _is_in(address, found))
        return next(named, None) or next(ranged, None)


def _is_in(address: str, found: Network) -> bool:
    peer = ip_address(address.partition("%")[0])
    mapped = getattr(peer, "ipv4_mapped", None)  # an IPv4 peer of a socket that takes both
    return (mapped or peer) in found


def _names(certificate: Mapping[str, Any]) -> Iterator[str]:
    for part in certificate.get("subject", ()):
        yield from (value for name, value in part if name == "commonName")
    yield from (value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS")
