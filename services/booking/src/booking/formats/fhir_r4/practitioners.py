"""Who of an Appointment's practitioners is its provider: whoever sees the patient (D54)."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from booking.formats.fhir_r4.periods import is_current, is_over
from booking.formats.fhir_r4.references import Message
from booking.values.refusals import Refused
from booking.values.warned import Details, dropped

_LEADS = ("PPRF", "ATND")
"""Codes of v3-ParticipationType for who sees the patient, best first: primary performer, attender."""

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


def provider(
    coming: list[Any], scheduled: Iterable[Any], message: Message, details: Details, now: datetime
) -> Named | None:
    """Return the one who is the provider, or None: then whoever is known of the visit stays.

    Of two of whom nothing says who sees the patient none is: the order of a list says nothing. That is noted, as is
    one who has no name.

    Args:
        coming: Participants who did not decline. Of them the marked ones, if any are, before whom the Schedule names.
        scheduled: References of the Schedule's actors: those count that came along.
    """
    for alike in _practitioners(coming, scheduled, message, now):
        named = [one for one in alike if one.names]
        for _ in alike[len(named) :]:
            text = "a practitioner has an identifier, or an id outside the Appointment"
            details.warnings.append(dropped(Refused("NO_IDENTIFIER", text, "Practitioner.identifier")))
        if any(set(named[0].names).isdisjoint(one.names) for one in named):
            text = "nothing says which of these practitioners sees the patient: mark him as PPRF"
            details.warnings.append(dropped(Refused("SEVERAL_PROVIDERS", text, "Appointment.participant")))
            return None
        if named:
            names = dict.fromkeys(name for one in named for name in one.names)
            return next((one for one in named if one.resource is not None), named[0])._replace(names=list(names))
    return None


def _practitioners(
    coming: list[Any], scheduled: Iterable[Any], message: Message, now: datetime
) -> Iterator[list[Named]]:
    """Yield those who may be the provider, best first; between those of one list nothing decides."""
    there = [p for p in coming if p.actor is not None and not is_over(p.period, now)]
    seeing = [(p.actor, _roles(p)) for p in there if message.kind(p.actor) in _KINDS]
    by_code = [[actor for actor, roles in seeing if code in roles] for code in _LEADS]
    unmarked = [actor for actor, roles in seeing if not roles & _SEES_NOBODY]
    for actors in by_code if any(by_code) else [unmarked]:
        yield from _best_first(actors, message, now)
    yield from _best_first([one for one in scheduled if message.resolve_as(one, *_KINDS) is not None], message, now)


def _best_first(actors: list[Any], message: Message, now: datetime) -> Iterator[list[Named]]:
    """Yield whom references name; roles of nobody after the others, those not active, or whose role is over, last."""

    def is_worse(actor: Any) -> tuple[bool, bool]:
        return not _is_active(message.resolve(actor), now), _is_nobodys(message.resolve_as(actor, "PractitionerRole"))

    for _, alike in groupby(sorted(actors, key=is_worse), key=is_worse):
        yield [found for actor in alike if (found := _named(actor, message)).names or actor.reference]


def _named(actor: Any, message: Message) -> Named:
    role = message.resolve_as(actor, "PractitionerRole")
    found = None if role is None else _of_role(role, actor, message.containing(role))
    return found or Named(message.names_of(actor), message.resolve(actor), actor.display)


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
