"""What messages say of how a clinic is reached and how a visit is prepared; what is not named stays (D51)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

type Told = Mapping[str, str | None]
"""Field → what it is now, or None where it is taken away; what is not in it stays."""


@dataclass(frozen=True, slots=True)
class ToldDetails:
    """What a command says of a clinic's details.

    Attributes:
        services: By service type; None takes all away that it has of its own.
    """

    clinic: Told = field(default_factory=dict)
    services: Mapping[str, Told | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Details:
    """The details that are held: of the clinic, and those that a service type has of its own."""

    clinic: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def with_told(self, told: ToldDetails) -> "Details":
        """Return them with what was told; a service type that has nothing of its own left is not in them."""
        services = {
            service: {} if own is None else _with_told(self.services.get(service, {}), own)
            for service, own in told.services.items()
        }
        merged = {**self.services, **services}
        return Details(_with_told(self.clinic, told.clinic), {name: own for name, own in merged.items() if own})


def _with_told(held: Mapping[str, str], told: Told) -> Mapping[str, str]:
    return {name: value for name, value in {**held, **told}.items() if value is not None}
