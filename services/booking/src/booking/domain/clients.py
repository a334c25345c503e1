"""What an API client may do (G9)."""

from dataclasses import dataclass

from booking.domain.refusals import Refused

ALL = "*"


@dataclass(frozen=True, slots=True)
class Client:
    """A client and its rights.

    Attributes:
        client_id: Its name.
        sources: The upstream systems it speaks for.
        clinics: The clinics it may book at; `*` for all.
        may_register: Whether it may register patients.
        default_clinic: The clinic of bookings that name none.
        may_set_policy: Whether it may set the reminder policies of its clinics.
    """

    client_id: str
    sources: tuple[str, ...]
    clinics: tuple[str, ...] = (ALL,)
    may_register: bool = False
    default_clinic: str | None = None
    may_set_policy: bool = False

    def source(self, named: str | None) -> str:
        """Return the source to use: the one named, else the client's only one.

        Raises:
            Refused: FOREIGN_SOURCE, SOURCE_REQUIRED.
        """
        if named is None:
            if len(self.sources) != 1 or self.sources[0] == ALL:
                raise Refused("SOURCE_REQUIRED", "this client speaks for several sources; name one", "source")
            return self.sources[0]
        if named not in self.sources and ALL not in self.sources:
            raise Refused("FOREIGN_SOURCE", "not a source of this client", "source")
        return named

    def sees_source(self, source: str) -> bool:
        """Say whether the client may see what came from this source."""
        return source in self.sources or ALL in self.sources

    def sees_clinic(self, clinic_id: str) -> bool:
        """Say whether the client may see this clinic's appointments."""
        return ALL in self.clinics or clinic_id in self.clinics

    def check_clinic(self, clinic_id: str) -> None:
        """Refuse a clinic of others.

        Raises:
            Refused: FOREIGN_CLINIC.
        """
        if not self.sees_clinic(clinic_id):
            raise Refused("FOREIGN_CLINIC", "not a clinic of this client", "appointment.clinic")

    def check_may_register(self) -> None:
        """Refuse unless the client may register patients.

        Raises:
            Refused: MAY_NOT_REGISTER.
        """
        if not self.may_register:
            raise Refused("MAY_NOT_REGISTER", "this client may not register patients")

    def check_may_set_policy(self) -> None:
        """Refuse unless the client may set reminder policies.

        Raises:
            Refused: MAY_NOT_SET_POLICY.
        """
        if not self.may_set_policy:
            raise Refused("MAY_NOT_SET_POLICY", "this client may not set reminder policies")


OPERATOR = Client("operator", (ALL,), (ALL,), may_set_policy=True)
"""Whoever holds the operator's key: sees everything, and sets policies; books nothing."""
