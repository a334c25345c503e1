"""Who and what a visit takes: clinicians, places and services of its resource groups, but for those taken away."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from booking.formats.hl7v2.segments import Message, Segment, path_of
from booking.profiles.domain import Hl7Profile, ProviderKnobs
from booking.values.unset import UNSET, Maybe

RESOURCES = frozenset({"AIS", "AIG", "AIL", "AIP"})
_GROUP, _TAKEN_AWAY = "RGS", "D"
_ACTION = 2
"""Field of the action code, of a group and of a resource."""

_KIND, _ROLE = 4, 4
"""AIG-4, AIP-4."""
_SENDER = "MSH"


class Visit:
    """A message's segments as of the visit: resources that are taken away, one by one or as a group, are apart."""

    def __init__(self, message: Message) -> None:
        self._message = message
        self._kept: dict[str, list[Segment]] = {name: [] for name in (*RESOURCES, _GROUP)}
        self.removed: list[Segment] = []
        is_gone = False
        for segment in message.segments:
            if segment.name == _GROUP:
                is_gone = segment.text(_ACTION).upper() == _TAKEN_AWAY
            if segment.name in self._kept:
                gone = is_gone or segment.text(_ACTION).upper() == _TAKEN_AWAY
                (self.removed if gone else self._kept[segment.name]).append(segment)

    def segments(self, name: str) -> Sequence[Segment]:
        """Return the segments of this name that are the visit's."""
        return self._kept[name] if name in self._kept else self._message.all(name)

    def said(self, path: str) -> Maybe[str | None]:
        """Return what the first of the visit's segments says there that says anything (`Segment.said`)."""
        where = path_of(path)
        for segment in self.segments(where.segment):
            found = segment.said(where.field, where.component, 0, where.sub)
            if found is not UNSET:
                return found
        return UNSET

    def text(self, path: str) -> str:
        """Return what stands there, empty if nothing does."""
        found = self.said(path)
        return "" if found is UNSET else found or ""

    def first_said(self, paths: Iterable[str]) -> tuple[str | None, Maybe[str | None]]:
        """Return the first of these places that is not empty, None if all are, and what it says."""
        return next(((path, found) for path in paths if (found := self.said(path)) is not UNSET), (None, UNSET))


class Place(NamedTuple):
    """Where a visit is.

    Attributes:
        clinic: The clinic's code, where the profile knows what stands there.
        identifiers: (path, value) that may stand for one, best first.
        otherwise: The code that counts where neither does, for a visit that is not known.
    """

    clinic: str | None
    identifiers: tuple[tuple[str, str], ...]
    otherwise: str | None


def place_of(visit: Visit, profile: Hl7Profile, otherwise: str | None) -> Place:
    """Return where the visit is; what stands in MSH says who sent the message, and counts for a new visit alone."""
    found = [(path, text) for path in profile.place if (text := visit.text(path))]
    named = [(path, profile.clinics[text]) for path, text in found if text in profile.clinics]
    sender = next((clinic for path, clinic in named if path.startswith(_SENDER)), None)
    clinic = next((clinic for path, clinic in named if not path.startswith(_SENDER)), None)
    return Place(clinic, tuple(one for one in found if not one[0].startswith(_SENDER)), sender or otherwise)


class Clinician(NamedTuple):
    """A visit's clinician.

    Attributes:
        names: His ids, each with its authority if it has one; at least one.
        called: His name, None if only an id is said.
        place: Where he stands.
    """

    names: tuple[str, ...]
    called: str | None
    place: str


def clinician_of(visit: Visit, knobs: ProviderKnobs) -> Maybe[Clinician | None]:
    """Return the visit's clinician: the primary one if one is named so; None if the only one was taken away."""
    gone = {name for segment in visit.removed for one in _people(segment, 3, knobs) for name in one.names}
    for path in knobs.fields:
        where = path_of(path)
        for segment in _primary_first(visit.segments(where.segment)):
            for found in _people(segment, where.field, knobs):
                if gone.isdisjoint(found.names):
                    return found
    return None if gone else UNSET


def _primary_first(segments: Sequence[Segment]) -> list[Segment]:
    return sorted(segments, key=lambda one: one.name != "AIP" or not _is_primary(one))


def _is_primary(segment: Segment) -> bool:
    return any(text.casefold().startswith("primary") for text in segment.components(_ROLE))


def _people(segment: Segment, field: int, knobs: ProviderKnobs) -> Iterator[Clinician]:
    """Yield whoever stands there: repetitions are ids of one person (XCN), an AIG is a person by its kind."""
    if segment.name == "AIG":
        kinds = {kind.casefold() for kind in knobs.resource_kinds}
        if kinds.isdisjoint(text.casefold() for text in segment.components(_KIND)):
            return
        identifier, called = segment.text(field, 1), segment.text(field, 2)
        names = [identifier] if identifier else []
    elif segment.name in {"AIS", "AIL", _GROUP}:
        return
    else:
        repetitions = range(segment.repetitions(field))
        called = next((name for n in repetitions if (name := _full_name(segment, field, n))), "")
        names = [name for n in repetitions if (name := _identifier(segment, field, n))]
    if names or called:
        place = f"{segment.name}-{field}"
        yield Clinician(tuple(dict.fromkeys(names)) or (f"name|{called}",), called or None, place)


def _identifier(segment: Segment, field: int, repetition: int) -> str:
    identifier = segment.text(field, 1, 1, repetition)
    authority = segment.text(field, 9, 1, repetition) or segment.text(field, 9, 2, repetition)
    return f"{authority}|{identifier}" if identifier and authority else identifier


def _full_name(segment: Segment, field: int, repetition: int) -> str:
    """Return title, given and family name of an XCN."""
    parts = (segment.text(field, number, 1, repetition) for number in (6, 3, 2))
    return " ".join(part for part in parts if part)
