"""Settings of booking, from the environment (prefix `BOOKING_`)."""

from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from chassis.process.settings import ServiceSettings
from schemas.topics import BOOKINGS_INBOUND, CLEARANCES_INBOUND, Topic, inbound


class Settings(ServiceSettings):
    """Everything booking can be told."""

    model_config = SettingsConfigDict(env_prefix="BOOKING_")

    http_port: int = 8100
    operations_port: int = 8110
    organisation_zone: str = "UTC"
    """IANA zone in which the year of a main-file number begins (D4)."""
    register_on_booking: bool = False
    """Whether a booking of an unknown patient registers him (D5)."""
    default_country: str | None = None
    """ISO 3166 code by which national phone numbers are read where neither the clinic nor the request says one; none:
    those are refused, or dropped from an event."""
    body_limit_bytes: int = 4 << 20
    """Longest request body; longer ones are refused before they are read."""
    inbound_clients: dict[str, str] = Field(default_factory=dict)
    """Inbound topic → the client to whom it belongs: `{"bookings-inbound": "local"}`. What a record says of its client
    is not looked at: who may write the topic is whose events these are. `bookings-inbound` is read in any case; while
    it is nobody's, its records go to the dead letters."""
    clearance_clients: dict[str, str] = Field(default_factory=dict)
    """Inbound topic of clearances → the client to whom it belongs: `{"clearances-inbound": "local"}`, as
    BOOKING_INBOUND_CLIENTS has those of bookings. `clearances-inbound` is read in any case; while it is nobody's, its
    records go to the dead letters."""
    mllp_host: str = "127.0.0.1"
    """Address on which `mllp` listens for HL7 v2. On any but this machine's own it wants BOOKING_MLLP_ALLOW or
    BOOKING_MLLP_TLS_CLIENT_CA: whoever may connect, books."""
    mllp_port: int = 2575
    """Port on which `mllp` listens."""
    mllp_client: str | None = None
    """The client whose rights what comes over MLLP has; `mllp` needs it."""
    mllp_sources: dict[str, str] = Field(default_factory=dict)
    """Who connects → the source for which he speaks: a name of his certificate (its common name, or a DNS name in it),
    or a range of addresses: `{"epic.example": "epic", "10.1.0.0/16": "lab"}`. A name wins over an address, a small
    range over a large one. Whoever is not in it is known by what his messages say of their sender."""
    mllp_tls_certificate: Path | None = None
    """PEM file with the certificate of `mllp` and its chain; none: nothing is encrypted."""
    mllp_tls_key: Path | None = None
    """PEM file with the key of the certificate; none: it is in the same file."""
    mllp_tls_client_ca: Path | None = None
    """PEM file of those who sign the certificates of senders: who shows none of theirs is turned away."""
    mllp_allow: Annotated[tuple[str, ...], NoDecode] = ()
    """Addresses that may connect to `mllp`, and ranges of them (`10.1.0.0/16`), with commas; none: all."""
    mllp_max_connections: int = Field(default=512, ge=1, le=850)
    """Connections to `mllp` at once at most; one more is closed."""
    mllp_frame_bytes: int = Field(default=1 << 20, ge=1024)
    """Longest message over MLLP; a longer one is answered AR."""
    mllp_half_frame_s: float = Field(default=30.0, gt=0)
    """How long a message over MLLP may take from its first byte to its last, before its connection is ended."""
    mllp_idle_s: float = Field(default=0.0, ge=0)
    """How long a connection of MLLP may be silent before it is ended; 0: for ever, as senders expect."""
    policy_reissue_per_s: int = Field(default=500, ge=1)
    """Appointments that a change of a reminder policy reissues, at most."""
    policy_reissue_batch: int = Field(default=250, ge=1, le=5_000)
    """Appointments that one transaction of a changed policy reissues, at most."""
    no_show_every_h: int = Field(default=2, ge=0, le=24)
    """Between looks for visits that nobody came to, on each clinic's wall; 0: never (R18)."""
    no_show_after_min: int = Field(default=30, ge=0)
    """A visit still booked so long after its end is a no-show (D19)."""
    no_show_visit_min: int = Field(default=30, ge=1)
    """How long a visit is taken to be that has no end."""
    keep_ingress_days: int = Field(default=400, ge=8)  # the inbound topic repeats what is up to 7 days old
    """How long the same event again is answered from its key; later it is judged by its sequence."""
    keep_refusals_days: int = Field(default=90, ge=1)
    """How long it can be asked why an inbound event was refused."""
    keep_inbound_days: int = Field(default=14, ge=8)  # an inbound topic keeps its records for 7 days
    """How long it can be asked by its place in its topic what became of a record that was taken."""

    @field_validator("inbound_clients")
    @classmethod
    def _topics_exist(cls, bound: dict[str, str]) -> dict[str, str]:
        return _checked(bound, BOOKINGS_INBOUND)

    @field_validator("clearance_clients")
    @classmethod
    def _topics_of_clearances_exist(cls, bound: dict[str, str]) -> dict[str, str]:
        return _checked(bound, CLEARANCES_INBOUND)

    @field_validator("mllp_allow", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(entry.strip() for entry in value.split(",") if entry.strip())
        return value

    @field_validator("mllp_allow")
    @classmethod
    def _are_addresses(cls, allowed: tuple[str, ...]) -> tuple[str, ...]:
        for entry in allowed:
            try:
                ip_network(entry)
            except ValueError as error:
                raise ValueError(f"an address, or a range of addresses such as 10.1.0.0/16: {error}") from None
        return allowed

    @field_validator("mllp_sources")
    @classmethod
    def _name_peers_and_sources(cls, sources: dict[str, str]) -> dict[str, str]:
        for peer, source in sources.items():
            if "/" in peer:
                cls._are_addresses((peer,))
            if not peer or not source:
                raise ValueError(f"{peer or source!r} is bound to nothing")
        return sources

    @model_validator(mode="after")
    def _encrypts_with_a_certificate(self) -> Self:
        if self.mllp_tls_certificate is None and (self.mllp_tls_key or self.mllp_tls_client_ca):
            raise ValueError("BOOKING_MLLP_TLS_CERTIFICATE is missing, without which nothing is encrypted")
        return self

    @model_validator(mode="after")
    def _each_topic_is_of_one_kind(self) -> Self:
        if both := sorted(self.inbound_clients.keys() & self.clearance_clients.keys()):
            raise ValueError(f"{both[0]} brings either bookings or clearances: name it in one of the two")
        return self

    @property
    def inbound(self) -> Sequence[tuple[Topic, str | None]]:
        """Every inbound topic of bookings, and whose it is."""
        return _bound(self.inbound_clients, BOOKINGS_INBOUND)

    @property
    def inbound_clearances(self) -> Sequence[tuple[Topic, str | None]]:
        """Every inbound topic of clearances, and whose it is."""
        return _bound(self.clearance_clients, CLEARANCES_INBOUND)

    @property
    def all_inbound(self) -> Sequence[tuple[Topic, str | None]]:
        """Every topic by which other systems write, and whose it is."""
        return [*self.inbound, *self.inbound_clearances]


def _checked(bound: dict[str, str], first: Topic) -> dict[str, str]:
    for name, client in bound.items():
        inbound(name, first)
        if not client:
            raise ValueError(f"{name} is bound to no client")
    return bound


def _bound(clients: Mapping[str, str], first: Topic) -> Sequence[tuple[Topic, str | None]]:
    bound: dict[str, str | None] = {first.name: None, **clients}
    return [(inbound(name, first), client) for name, client in bound.items()]
