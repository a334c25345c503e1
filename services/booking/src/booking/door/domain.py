"""What an API client may do (G9)."""

from collections.abc import Collection
from dataclasses import dataclass

from booking.values.refusals import Refused
from booking.values.warned import FOREIGN_PATIENT

ALL = "*"


@dataclass(frozen=True, slots=True)
class Client:
    """A client and its rights.

    Attributes:
        clinics: The clinics it may book at; `*` for all.
        may_correct: Where steps are enforced, it may take one back if it gives a reason (0052).
    """

    client_id: str
    sources: tuple[str, ...]
    clinics: tuple[str, ...] = (ALL,)
    may_register: bool = False
    default_clinic: str | None = None
    may_set_policy: bool = False
    may_manage_clinics: bool = False
    may_clear: bool = False
    may_override_clearance: bool = False
    may_correct: bool = False

    def source(self, named: str | None) -> str:
        """Return the source to use: the one named, else the client's only one."""
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

    def sees_visit(self, source: str, clinic_id: str | None) -> bool:
        """Say whether the client may see a visit that came from this source, at this clinic; None: at none yet."""
        return self.sees_source(source) and (clinic_id is None or self.sees_clinic(clinic_id))

    @property
    def seen_sources(self) -> list[str] | None:
        """The sources whose visits the client sees, each once; None: all."""
        return None if self.sees_source(ALL) else sorted(set(self.sources))

    @property
    def seen_clinics(self) -> list[str] | None:
        """The clinics whose visits the client sees, each once; None: all."""
        return sorted(set(self.clinics)) if self.is_limited else None

    def check_clinic(self, clinic_id: str, place: str = "appointment.clinic") -> None:
        """Refuse a clinic of others."""
        if not self.sees_clinic(clinic_id):
            raise Refused("FOREIGN_CLINIC", "not a clinic of this client", place)

    @property
    def is_limited(self) -> bool:
        """Whether there may be clinics that are not the client's."""
        return ALL not in self.clinics

    def may_write(self, clinics: Collection[str]) -> bool:
        """Say whether the client may write a patient of its sources who has visits at these clinics.

        His contacts and flags are one for all clinics: whoever writes them decides where the messages of every
        clinic go. So he is written by those alone who see all his clinics.
        """
        return all(self.sees_clinic(clinic_id) for clinic_id in clinics)

    def check_may_write(self, clinics: Collection[str], place: str) -> None:
        """Refuse to write a patient who has visits at clinics of others."""
        if not self.may_write(clinics):
            raise Refused(FOREIGN_PATIENT, "this client does not see all clinics of this patient", place)

    def check_may_manage_clinics(self) -> None:
        """Refuse unless the client may enter clinics and clinicians."""
        if not self.may_manage_clinics:
            raise Refused("MAY_NOT_MANAGE_CLINICS", "this client may not enter or change clinics and clinicians")

    def check_may_judge_steps(self) -> None:
        """Refuse unless the client may say how strictly the steps of a whole source are judged, at all its clinics."""
        self.check_may_manage_clinics()
        if self.is_limited:
            raise Refused("FOREIGN_CLINIC", "this is of all clinics of the source, and not all are this client's", "")

    def check_may_register(self) -> None:
        """Refuse unless the client may register patients."""
        if not self.may_register:
            raise Refused("MAY_NOT_REGISTER", "this client may not register patients")

    def check_may_set_policy(self) -> None:
        """Refuse unless the client may set the policies of its clinics: of reminders, and of clearances."""
        if not self.may_set_policy:
            raise Refused("MAY_NOT_SET_POLICY", "this client may not set the policies of clinics")

    def check_may_clear(self) -> None:
        """Refuse unless the client may say whether visits are cleared."""
        if not self.may_clear:
            raise Refused("MAY_NOT_CLEAR", "this client may not say whether visits are cleared")

    def check_may_override(self) -> None:
        """Refuse unless the client may check in whose visit lacks what the clinic requires."""
        if not self.may_override_clearance:
            raise Refused("MAY_NOT_OVERRIDE", "this client may not check in whose visit is not cleared", "override")


OPERATOR = Client("operator", (ALL,), (ALL,), may_set_policy=True)
"""Whoever holds the operator's key: sees everything, and sets policies; books nothing."""
