"""A clearance as a sender says it, in his own names of the visit and of the patient."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from booking.clearances.domain.clearance import GiveClearance
from booking.values.refusals import Refused
from booking.values.warned import UNKNOWN_FIELD, Warned


def _as_it_is(place: str) -> str:
    return place


@dataclass(frozen=True, slots=True)
class ToldClearance:
    """A command, and the names among which booking has to find its visit and its patient.

    Attributes:
        command: Its visit and its patient are called by the first names.
        source: Whose names they are; empty: the client's only source's.
        visits: The source's names of the visit, the best first.
        patients: The source's names of the patient, the best first; none: it does not say whose it is.
        place_of: Where in the sender's words a field of the command stands.
    """

    command: GiveClearance
    source: str
    visits: tuple[str, ...]
    patients: tuple[str, ...] = ()
    place_of: Callable[[str], str] = field(default=_as_it_is)

    def of(self, visit: UUID, patient: str | None) -> "ToldClearance":
        """Return the same of this visit and patient of ours."""
        return replace(self, command=self.command._replace(visit=visit, patient=patient))

    def of_source(self, source: str) -> "ToldClearance":
        """Return the same of this source."""
        return replace(self, source=source)

    def said_at(self, at: datetime) -> "ToldClearance":
        """Return the same, said then."""
        return replace(self, command=self.command._replace(said_at=at))

    def warned(self, *warnings: Warned) -> "ToldClearance":
        """Return the same with further warnings."""
        return replace(self, command=self.command._replace(warnings=(*self.command.warnings, *warnings)))

    def in_its_words(self, refusal: Refused) -> Refused:
        """Return a refusal of the command, with places that its sender knows; of fields that were not read they are."""
        also = [one if one.code == UNKNOWN_FIELD else self.in_its_words(one) for one in refusal.also]
        return Refused(refusal.code, refusal.message, self.place_of(refusal.place), also)
