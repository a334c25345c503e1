"""What booking does when a source is given a profile. It runs inside one transaction."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from booking.door.strict_json import canonical_hash
from booking.profiles.changes import Change, changes
from booking.profiles.domain import DEFAULT, Profile
from booking.profiles.kept import read_kept, said
from booking.profiles.version import Version
from booking.values.refusals import UNKNOWN_CLINIC, check_version
from booking.values.warned import Warned


class ProfileStore(Protocol):
    """Profiles as one transaction sees them."""

    async def lock(self, source: str) -> None:
        """Let no other transaction give this source a profile until this one ends."""

    async def newest(self, source: str) -> Version | None:
        """Return the version that holds, None if the source was never given one."""

    async def keep(self, source: str, given: Version) -> None:
        """Append a version, from which on it holds."""

    async def zones_of(self, clinics: Collection[str]) -> Mapping[str, str]:
        """Return the zone of each of these clinics that is known, by code."""


class Wish(NamedTuple):
    """That a source is to have a profile.

    Attributes:
        by: A client, or `operator`.
        now: Domain time.
        on_version: The version on which it was decided, None: whatever holds.
        is_dry: Nothing is to be written.
    """

    profile: Profile
    by: str
    reason: str | None
    now: datetime
    on_version: int | None = None
    is_dry: bool = False


class Given(NamedTuple):
    """What came of it.

    Attributes:
        newest: What holds then, None if the source has no profile.
        changes: What changed, or in a dry run would change.
    """

    newest: Version | None
    changed: bool
    changes: Sequence[Change]
    warnings: Sequence[Warned]


async def give_profile(store: ProfileStore, source: str, wish: Wish) -> Given:
    """Give a source a profile from now on, unless what holds is the same already.

    Raises:
        Refused: VERSION_CHANGED.
    """
    await store.lock(source)
    newest = await store.newest(source)
    version = newest.version if newest else 0
    check_version(wish.on_version, version)
    before = read_kept(newest.profile)[0] if newest else DEFAULT
    clinics = {"clinic": wish.profile.clinic}
    clinics |= {f"hl7v2.clinics.{place}": code for place, code in wish.profile.hl7v2.clinics.items()}
    zones = await store.zones_of([code for code in (before.clinic, *clinics.values()) if code])
    found = changes(before, wish.profile, zones)
    warned = [_unknown(place) for place, code in clinics.items() if code and code not in zones]
    changed = bool(found) and not wish.is_dry
    if changed:
        kept = said(wish.profile)
        newest = Version(version + 1, kept, canonical_hash(kept), wish.now, wish.by, wish.reason)
        await store.keep(source, newest)
    return Given(newest, changed, found, warned)


def _unknown(place: str) -> Warned:
    message = "no clinic has this code yet: what is sent to it is refused until PUT /v1/clinics"
    return Warned(UNKNOWN_CLINIC, f"profile.{place}", message)
