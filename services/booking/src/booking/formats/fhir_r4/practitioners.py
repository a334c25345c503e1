"""Who of an Appointment's practitioners is its provider: whoever sees the patient (D54)."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from booking.formats.fhir_r4.periods import is_current
from booking.formats.fhir_r4.references import Message

_LEADS = frozenset({"PPRF", "ATND"})
"""Codes of v3-ParticipationType for who sees the patient: primary performer and attender."""

_SEES_NOBODY = frozenset({"translator", "TRANS", "REF", "REFB"})
"""Translator (participant-type), transcriber, referrer and referred by: practitioners of whom it is no visit."""

_KINDS = frozenset({"Practitioner", "PractitionerRole"})


class Named(NamedTuple):
    """A practitioner as a message names him.

    Attributes:
        names: The source's names of him, or of his role where nothing says whose it is, best first; empty if it gives
            none that means anything beyond the message.
        resource: What came along of him, or None.
        display: What he is called beside the reference.
    """

    names: list[str]
    resource: Any
    display: str | None


def practitioners(coming: list[Any], scheduled: Iterable[Any], message: Message, now: datetime) -> Iterator[Named]:
    """Yield those who may be the provider, best first.

    Args:
        coming: Participants who did not decline. Of them the marked ones, if any are, before whom the Schedule names.
        scheduled: References of the Schedule's actors: those count that came along.
    """
    seeing = [(p.actor, _roles(p)) for p in coming if p.actor is not None and message.kind(p.actor) in _KINDS]
    marked = [actor for actor, roles in seeing if roles & _LEADS]
    actors = marked or [actor for actor, roles in seeing if not roles & _SEES_NOBODY]
    yield from _best_first(actors, message, now)
    yield from _best_first([one for one in scheduled if message.resolve_as(one, *_KINDS) is not None], message, now)


def _best_first(actors: list[Any], message: Message, now: datetime) -> Iterator[Named]:
    """Yield whom references name; roles of nobody after the others, those not active, or whose role is over, last."""

    def is_worse(actor: Any) -> tuple[bool, bool]:
        return not _is_active(message.resolve(actor), now), _is_nobodys(message.resolve_as(actor, "PractitionerRole"))

    for actor in sorted(actors, key=is_worse):
        role = message.resolve_as(actor, "PractitionerRole")
        if role is None or (found := _of_role(role, actor, message.containing(role))) is None:
            found = Named(message.names_of(actor), message.resolve(actor), actor.display)
        if found.names or actor.reference:
            yield found


def _is_nobodys(role: Any) -> bool:
    return role is not None and role.practitioner is None


def _of_role(role: Any, actor: Any, message: Message) -> Named | None:
    """Return whose role it is, if the role says so in a way that means something beyond the message."""
    who = role.practitioner
    if who is None or not (names := message.names_of(who)):
        return None
    return Named(names, message.resolve(who), who.display or actor.display)


def _is_active(resource: Any, now: datetime) -> bool:
    return getattr(resource, "active", None) is not False and is_current(getattr(resource, "period", None), now)


def _roles(participant: Any) -> set[str]:
    return {coding.code for concept in participant.type or [] for coding in concept.coding or [] if coding.code}
