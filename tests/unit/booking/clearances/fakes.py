"""Clearances in memory."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from booking.clearances.domain.clearance import Clearance, Slot, Visit
from booking.clearances.domain.hands import Hand
from booking.clearances.domain.kinds import Kind
from booking.clearances.domain.policy import ClearancePolicy
from booking.clearances.domain.standing import Standing, standing_of
from booking.clearances.handle import Word
from booking.clearances.known import Taken
from booking.values.identity import Identity
from tests.unit.booking.clearances.made import KINDS, VISIT

MERGED = UUID(int=3)
"""A patient who was merged into the visit's."""


class MemoryClearances:
    """`handle.ClearanceStore` with one visit; `was` are those whose it was before, `since` when it became his."""

    def __init__(self, policy: ClearancePolicy | None = None, visit: Visit = VISIT) -> None:
        self.policy, self.visit = policy, visit
        self.words: list[Word] = []
        self.told: list[tuple[int, bool]] = []
        self.flagged: set[UUID] = set()
        self.was: list[Hand] = []
        self.since: datetime | None = None
        self._held: dict[Slot, Clearance] = {}

    async def visits_named(self, names: Collection[Identity]) -> Mapping[Identity, UUID]:
        return {name: self.visit.appointment_id for name in names if name == ("local", "a-1")}

    async def lock(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, Visit]:
        return {key: self.visit for key in appointment_ids if key == self.visit.appointment_id}

    async def taken(self, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Taken]:
        return {
            (w.command.client, w.command.key): Taken(
                w.command.body_sha256, w.result, w.visit.appointment_id, w.said.kind, w.said.form, w.said.version
            )
            for w in self.words
        }

    async def held(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, Sequence[Clearance]]:
        return {self.visit.appointment_id: list(self._held.values())} if self._held else {}

    async def kinds(self, clinics: Collection[str]) -> Mapping[str, Mapping[str, Kind]]:
        return dict.fromkeys(clinics, KINDS)

    async def every_policy(self, clinics: Collection[str]) -> Mapping[str, Sequence[ClearancePolicy]]:
        return dict.fromkeys(clinics, [self.policy] if self.policy else [])

    async def patients_named(self, names: Collection[Identity]) -> Mapping[Identity, UUID]:
        return {name: self.visit.patient_id for name in names if name == ("local", "p-1")}

    async def kept(self, patients: Collection[UUID]) -> Mapping[UUID, UUID]:
        return {patient: self.visit.patient_id for patient in patients if patient == MERGED}

    async def hands(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, Sequence[Hand]]:
        return {key: [*self.was, Hand(self.visit.patient_id, self.since)] for key in appointment_ids}

    async def keep(self, words: Sequence[Word], held: Mapping[UUID, Mapping[Slot, Clearance]]) -> None:
        self.words += words
        self._held = dict(held[self.visit.appointment_id])

    async def standing(self, appointment_ids: Collection[UUID], now: datetime) -> Mapping[UUID, Standing]:
        return {key: standing_of(self.policy, list(self._held.values()), KINDS, now) for key in appointment_ids}

    async def tell(self, words: Sequence[Word], standing: Mapping[UUID, Standing], now: datetime) -> None:
        self.told += [(w.said.version, not standing[w.visit.appointment_id].is_cleared) for w in words]

    async def flag(self, visits: Sequence[Visit], now: datetime) -> None:
        self.flagged |= {visit.appointment_id for visit in visits}

    async def settle(self, appointment_ids: Collection[UUID], by: str, now: datetime) -> None:
        self.flagged -= set(appointment_ids)
