"""Settings of booking, from the environment (prefix `BOOKING_`)."""

from collections.abc import Mapping, Sequence
from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

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
