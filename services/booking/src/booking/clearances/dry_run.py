"""The dry run of a clearance policy: how many visits ahead it would block. It changes nothing, and locks nothing."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from booking.clearances.answers import ClearanceTrialView, LackCount
from booking.clearances.domain.clearance import Clearance
from booking.clearances.domain.kinds import Kind
from booking.clearances.domain.policy import ClearancePolicy, in_force
from booking.clearances.domain.standing import standing_of
from booking.clearances.store import held_of, visits_ahead
from chassis.postgres.database import Pool

PAGE = 5_000
"""Visits of one question to the database."""

_LAST = UUID(int=2**128 - 1)


class Trial(NamedTuple):
    """A policy to be tried.

    Attributes:
        held: The newest policies of the clinic and its service types.
        after: The same with the policy to be tried.
        kinds: The clinic's, by name.
    """

    clinic_id: str
    service_type: str | None
    held: Sequence[ClearancePolicy]
    after: Sequence[ClearancePolicy]
    kinds: Mapping[str, Kind]

    @property
    def others(self) -> list[str]:
        """Service types with policies of their own, when it is the clinic's that is tried."""
        own = (one.service_type for one in self.held if not one.unset and one.service_type is not None)
        return [] if self.service_type is not None else sorted(own)


@dataclass(slots=True)
class _Found:
    looked_at: int = 0
    blocked: int = 0
    blocked_now: int = 0
    lacks: Counter[tuple[str, str]] = field(default_factory=Counter)


async def try_policy(pool: Pool, trial: Trial, now: datetime) -> ClearanceTrialView:
    """Return what the policy finds of every visit ahead, each as of its start, page by page."""
    began, found, after = time.monotonic(), _Found(), (now, _LAST)
    async with pool.acquire() as connection:
        while rows := await visits_ahead(connection, trial.clinic_id, trial.service_type, trial.others, after, PAGE):
            held = await held_of(connection, [row["appointment_id"] for row in rows])
            await asyncio.to_thread(_look, trial, rows, held, found)
            after = (rows[-1]["starts_at"], rows[-1]["appointment_id"])
            if len(rows) < PAGE:
                break
    lacks = sorted(found.lacks.items(), key=lambda one: (-one[1], one[0]))
    return ClearanceTrialView(
        clinic_id=trial.clinic_id,
        service_type=trial.service_type,
        as_of=now,
        looked_at=found.looked_at,
        blocked=found.blocked,
        blocked_now=found.blocked_now,
        lacks=[LackCount(kind=kind, code=code, visits=number) for (kind, code), number in lacks],
        took_ms=round((time.monotonic() - began) * 1_000),
    )


def _look(trial: Trial, rows: Sequence[Any], held: Mapping[UUID, Sequence[Clearance]], found: _Found) -> None:
    for row in rows:
        mine, service, at = held.get(row["appointment_id"], ()), row["service_type"], row["starts_at"]
        before = standing_of(in_force(trial.held, service), mine, trial.kinds, at)
        lacking = standing_of(in_force(trial.after, service), mine, trial.kinds, at).lacking
        found.looked_at += 1
        found.blocked += bool(lacking)
        found.blocked_now += bool(before.lacking)
        found.lacks.update({(lack.kind, lack.code) for lack in lacking})
