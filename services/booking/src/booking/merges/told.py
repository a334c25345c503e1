"""Merges that an upstream system tells of: each side by all the names that it may go by here (D44, 0059)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from booking.door.domain import Client
from booking.merges.handle import Merge, MergeStore, merge_patients
from booking.patients.domain.registrations import Registration
from booking.values.identity import Identity, PatientKey

UPSTREAM_MERGED = "upstream merged the files"


class ToldMerge(NamedTuple):
    """Two records that are one person's.

    Attributes:
        away: Names of the one that is merged away, the best first; at least one.
        into: The same of the one that is kept.
        kept: What the message says of the one that is kept: by it he is registered, if nobody did so before.
    """

    away: Sequence[Identity]
    into: Sequence[Identity]
    kept: Registration | None = None


class ToldMerges(NamedTuple):
    """What one message merges, in order: all of it, or nothing."""

    pairs: Sequence[ToldMerge]
    client: Client


class ToldStore(MergeStore, Protocol):
    """Booking's records as one transaction sees them."""

    async def name_patients(
        self, strangers: Collection[Identity], further: Mapping[Identity, PatientKey]
    ) -> Mapping[Identity, UUID]:
        """Give these names, which are nobody's, to patients."""


async def unregistered(store: ToldStore, told: ToldMerges) -> list[Registration]:
    """Return what a message says of those who are kept, each by the name under which he is known.

    Only of those pairs of which both are known: the others merge nobody.
    """
    found: list[Registration] = []
    for pair in told.pairs:
        known = await store.patients([*pair.away, *pair.into])
        into = next((name for name in pair.into if name in known), None)
        if pair.kept is not None and into is not None and any(name in known for name in pair.away):
            found.append(pair.kept._replace(identity=into))
    return found


async def merge_told(store: ToldStore, told: ToldMerges, now: datetime) -> None:
    """Merge what a message says; the same again changes nothing.

    Of two of whom one was never heard of, the other has the name from now on: what comes under it is his. Of two
    strangers nothing follows.

    Raises:
        Refused: SAME_PATIENT: they are one already, and not by this merge: a merge is never undone, nor turned round;
            see `merge_patients`.
        Unavailable: KEY_RACE, IDENTITY_RACE: something of it changed meanwhile; the same again sees it.
    """
    for pair in told.pairs:
        known = await store.patients([*pair.away, *pair.into])
        away = next((name for name in pair.away if name in known), None)
        into = next((name for name in pair.into if name in known), None)
        if away is not None and into is not None:
            await merge_patients(store, Merge(away, into, told.client, UPSTREAM_MERGED), now)
        elif away is not None:
            await store.name_patients((), {pair.into[0]: known[away]})
        elif into is not None:
            await store.name_patients((), {pair.away[0]: known[into]})
