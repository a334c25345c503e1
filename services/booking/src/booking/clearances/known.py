"""What is known of the visits, kinds and patients that words about clearances are about."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from booking.clearances.domain.clearance import ClearanceResult, GiveClearance, Visit
from booking.clearances.domain.hands import Hand, whose
from booking.clearances.domain.kinds import Kind
from booking.clearances.domain.policy import ClearancePolicy
from booking.values.identity import Identity


class Taken(NamedTuple):
    """A word that was taken, with what became of it."""

    body_sha256: bytes
    result: ClearanceResult
    appointment_id: UUID
    kind: str
    form: str
    version: int


class Known(NamedTuple):
    """What words about clearances are judged by, read under the locks of their visits.

    Attributes:
        patients: Who is kept, by the names that words give.
        kept: Who is kept in place of patients whom words name by ids of ours, and who were merged away.
        hands: In whose hands visits were of which words name no patient; those that were always his are left out.
    """

    ids: Mapping[Identity, UUID]
    visits: Mapping[UUID, Visit]
    taken: Mapping[tuple[str, str], Taken]
    kinds: Mapping[str, Mapping[str, Kind]]
    policies: Mapping[str, Sequence[ClearancePolicy]]
    patients: Mapping[Identity, UUID]
    kept: Mapping[UUID, UUID]
    hands: Mapping[UUID, Sequence[Hand]]

    def visit(self, named: UUID | Identity) -> Visit | None:
        """Return the visit that a word names."""
        key = named if isinstance(named, UUID) else self.ids.get(named)
        return None if key is None else self.visits.get(key)

    def patient_of(self, command: GiveClearance, visit: Visit) -> UUID | None:
        """Return whose a word is: whom it names, else whose visit it was as it was said; None: whom nobody knows."""
        if command.patient is not None:
            ours = id_of(command.patient)
            by_id = None if ours is None else self.kept.get(ours, ours)
            return self.patients.get((visit.source, command.patient), by_id)
        hands, at = self.hands.get(visit.appointment_id, ()), command.spoken_at
        return whose(hands, at) if hands and at is not None else visit.patient_id


def id_of(name: str) -> UUID | None:
    """Return the id of ours that a name is, if it can be one."""
    try:
        return UUID(name)
    except ValueError:
        return None
