"""The profiles in force, held in memory: asked for every message, read again every few seconds."""

import asyncio
from collections.abc import Collection, Mapping
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

import structlog

from booking.door.domain import ALL
from booking.profiles.domain import DEFAULT, Match, Profile
from booking.profiles.kept import read_kept
from booking.profiles.store import countries_of, newest, zones_of
from booking.values.times import zone_of
from chassis.postgres.database import Connection, Pool
from chassis.process.errors import Unavailable

log: structlog.stdlib.BoundLogger = structlog.get_logger()

EVERY_S = 5.0
"""Between two looks for what another process was given."""


class Held(NamedTuple):
    """A source's profile in force.

    Attributes:
        version: Rises by one with each change of this source's; 0: none was ever given.
        zone: Of its times without offset: its own, else its default clinic's; None if it has neither.
    """

    version: int
    profile: Profile
    zone: ZoneInfo | None


_NONE = Held(0, DEFAULT, None)


class Profiles:
    """Every source's profile. It answers from memory, never fails, and knows of any source: `{}` is a profile."""

    def __init__(self) -> None:
        self._held: Mapping[str, Held] = {}
        self._clinic_zones: Mapping[str, str] = {}
        self._clinic_countries: Mapping[str, str] = {}

    @classmethod
    def fixed(
        cls,
        profiles: Mapping[str, Profile],
        clinic_zones: Mapping[str, str] | None = None,
        clinic_countries: Mapping[str, str] | None = None,
    ) -> Self:
        """Return profiles that do not change, by source.

        Args:
            clinic_zones: Code of a clinic → its zone, for times of sources whose profile names none.
            clinic_countries: Code of a clinic → its country, for national numbers of such sources.
        """
        fixed = cls()
        held = {source: (1, profile) for source, profile in profiles.items()}
        fixed.hold(held, clinic_zones or {}, clinic_countries or {})
        return fixed

    def hold(
        self,
        profiles: Mapping[str, tuple[int, Profile]],
        clinic_zones: Mapping[str, str],
        clinic_countries: Mapping[str, str],
    ) -> None:
        """Put these (version, profile) in force, by source, and no others; and the clinics' zones and countries."""
        self._clinic_zones, self._clinic_countries = clinic_zones, clinic_countries
        self._held = {
            source: Held(version, profile, _zone(profile, clinic_zones))
            for source, (version, profile) in profiles.items()
        }

    def of(self, source: str | None) -> Profile:
        """Return a source's profile; the one of all defaults where nothing was said, or no source is known."""
        return self.held(source).profile

    def version_of(self, source: str | None) -> int:
        """Return which version of a source's profile is in force; 0: none was ever given."""
        return self.held(source).version

    def zone_of(self, source: str | None, *clinics: str | None) -> ZoneInfo | None:
        """Return the zone of a source's times without offset.

        It is its profile's, else that of the first of these clinics that is known, else of its default clinic.

        Args:
            clinics: Codes, best first: where the visit is; where it is unless it is said.
        """
        held = self.held(source)
        if held.profile.zone is None:
            named = next(filter(None, (self._clinic_zones.get(code or "") for code in clinics)), None)
            if named is not None:
                return zone_of(named)
        return held.zone

    def country_at(self, clinic: str | None) -> str | None:
        """Return the country of a clinic of this code; None if there is no such clinic, or it has none."""
        return self._clinic_countries.get(clinic or "")

    def held(self, source: str | None) -> Held:
        """Return a source's profile with what goes with it."""
        return self._held.get(source, _NONE) if source is not None else _NONE

    def matching(self, sources: Collection[str], application: str, facility: str) -> str | None:
        """Return whose a message is that came over a way of several sources, None if that cannot be told.

        The source whose profile names the sender most exactly; of two that name him equally, neither.

        Args:
            sources: Those that it may be of. With `*`, every source whose profile names senders.
            application: MSH-3.1, empty if it is not said.
            facility: MSH-4.1, likewise.
        """
        every = ALL in sources
        exact = {
            source: _exactness(self.of(source).hl7v2.match, application, facility)
            for source in (self._held if every else set(sources))
        }
        best = max((found for found in exact.values() if found is not None), default=None)
        if best is None or (every and not best):
            return None
        first, *others = (source for source, found in exact.items() if found == best)
        return None if others else first


class KeptProfiles(Profiles):
    """The profiles that are kept, as they were when last read."""

    async def refresh(self, connection: Connection | Pool) -> None:
        """Read them once.

        Raises:
            Unavailable: The database is not there; those of before go on.
        """
        kept = await newest(connection)
        read = {source: (version, self._read(source, version, value)) for source, (version, value) in kept.items()}
        self.hold(read, await zones_of(connection), await countries_of(connection))

    def _read(self, source: str, version: int, kept: Mapping[str, object]) -> Profile:
        held = self.held(source)
        if held.version == version:
            return held.profile
        profile, passed_over = read_kept(kept)
        if passed_over:
            log.warning("profiles.keys_passed_over", version=version, keys=len(passed_over))
        return profile


class CurrentProfiles(KeptProfiles):
    """The profiles that are kept, read again and again."""

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self._pool = pool

    async def refresh(self, connection: Connection | Pool | None = None) -> None:
        """Read them once, by a connection of the pool where none is given.

        Raises:
            Unavailable: The database is not there; those of before go on.
        """
        await super().refresh(connection or self._pool)

    async def run(self, stop: asyncio.Event) -> None:
        """Read them every few seconds until `stop`."""
        while not stop.is_set():
            try:
                await self.refresh()
            except Unavailable as error:
                log.warning("profiles.unavailable", code=error.code)
            try:
                async with asyncio.timeout(EVERY_S):
                    await stop.wait()
            except TimeoutError:
                continue


def _exactness(match: Match, application: str, facility: str) -> int | None:
    """Return by how many of its names a sender is meant, None if he is not."""
    asked = ((match.sending_application, application), (match.sending_facility, facility))
    if any(names and said not in names for names, said in asked):
        return None
    return sum(bool(names) for names, _ in asked)


def _zone(profile: Profile, clinic_zones: Mapping[str, str]) -> ZoneInfo | None:
    name = profile.zone or clinic_zones.get(profile.clinic or "")
    return None if name is None else zone_of(name)
