"""What booking does about clearances. A story runs inside one transaction and is safe to call again.

It locks the visits first, as whoever gives them their next version does: a check-in and a withdrawal come one after the
other, and whatever is decided second has seen the first.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

import structlog

from booking.clearances.domain.clearance import (
    Clearance,
    ClearanceResult,
    GiveClearance,
    Slot,
    Visit,
    decide,
    takes_back_his,
)
from booking.clearances.domain.hands import Hand
from booking.clearances.domain.kinds import CLEARS, TAKES_BACK, Kind
from booking.clearances.domain.policy import ClearancePolicy, known_versions
from booking.clearances.domain.rules import Facts, check
from booking.clearances.domain.standing import Standing
from booking.clearances.known import Known, Taken, id_of
from booking.door.domain import Client
from booking.values.identity import Identity
from booking.values.refusals import UNKNOWN_APPOINTMENT, Refused
from booking.values.warned import Warned, beside
from chassis.postgres.after_commit import after_commit

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Word(NamedTuple):
    """A word that is kept: what it says, what became of it, and the version that the visit's clearances then have.

    Attributes:
        takes_away: It takes back, or says no longer what cleared, of the visit's patient.
    """

    command: GiveClearance
    visit: Visit
    result: ClearanceResult
    said: Clearance
    takes_away: bool = False


class ClearanceAnswer(NamedTuple):
    """What one word is answered.

    Attributes:
        result: `repeat` also for a word that was taken before, whatever became of it then; None: it is refused.
        taken: What is kept of it.
    """

    key: str
    result: ClearanceResult | None = None
    taken: Taken | None = None
    warnings: tuple[Warned, ...] = ()
    refusal: Refused | None = None


class ClearanceStore(Protocol):
    """Clearances as one transaction sees them. Every method is set-based and sorted by key."""

    async def visits_named(self, names: Collection[Identity]) -> Mapping[Identity, UUID]:
        """Return the visits' ids by name."""

    async def lock(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, Visit]:
        """Lock the visits' rows and return those that were ever booked, each with the patient who is kept."""

    async def taken(self, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Taken]:
        """Return the words taken before, by (client, key)."""

    async def held(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, Sequence[Clearance]]:
        """Return what these visits hold, of whichever patient, who is one who is kept."""

    async def kinds(self, clinics: Collection[str]) -> Mapping[str, Mapping[str, Kind]]:
        """Return each clinic's kinds by name."""

    async def every_policy(self, clinics: Collection[str]) -> Mapping[str, Sequence[ClearancePolicy]]:
        """Return all policies that these clinics ever had."""

    async def patients_named(self, names: Collection[Identity]) -> Mapping[Identity, UUID]:
        """Return the patients, those who are kept, by name."""

    async def kept(self, patients: Collection[UUID]) -> Mapping[UUID, UUID]:
        """Return who is kept in place of those of these patients who were merged away; the others are left out."""

    async def hands(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, Sequence[Hand]]:
        """Return in whose hands these visits were, each from the first on; those that nobody booked are left out."""

    async def keep(self, words: Sequence[Word], held: Mapping[UUID, Mapping[Slot, Clearance]]) -> None:
        """Write what is held now of the visits that the words are about, and append the words.

        Raises:
            Unavailable: KEY_RACE: another transaction took one of these keys meanwhile; the same again sees it.
        """

    async def standing(self, appointment_ids: Collection[UUID], now: datetime) -> Mapping[UUID, Standing]:
        """Return how these visits stand, those ahead as of their start."""

    async def tell(self, words: Sequence[Word], standing: Mapping[UUID, Standing], now: datetime) -> None:
        """Publish what changed, in this order."""

    async def flag(self, visits: Sequence[Visit], now: datetime) -> None:
        """Put visits on the work list that lack something again."""

    async def settle(self, appointment_ids: Collection[UUID], by: str, now: datetime) -> None:
        """Take visits off the work list that lack nothing now."""


async def give(
    store: ClearanceStore, commands: Sequence[GiveClearance], clients: Mapping[str, Client], now: datetime
) -> list[ClearanceAnswer]:
    """Take words about clearances, those of one visit in the order given, and answer each.

    One that is refused changes nothing, has its `refusal` in its answer, and keeps no other from being taken.

    Args:
        clients: By id; a word of a client that may not say it is refused.
    """
    known = await _look_up(store, commands)
    held = {key: _by_slot(found) for key, found in (await store.held(list(known.visits))).items()}
    words: dict[tuple[str, str], Word] = {}
    answers = [_take(command, clients[command.client], known, held, words, now) for command in commands]
    if words:
        await _write(store, list(words.values()), held, now)
    _log(answers)
    return answers


async def _look_up(store: ClearanceStore, commands: Sequence[GiveClearance]) -> Known:
    ids = await store.visits_named({c.visit for c in commands if not isinstance(c.visit, UUID)})
    visits = await store.lock({c.visit for c in commands if isinstance(c.visit, UUID)} | set(ids.values()))
    found = Known(ids, visits, {}, {}, {}, {}, {}, {})
    clinics = {visit.clinic_id for visit in visits.values()}
    named = {(v.source, c.patient) for c in commands if c.patient is not None and (v := found.visit(c.visit))}
    ours = {one for c in commands if c.patient is not None and (one := id_of(c.patient))}
    unnamed = {v.appointment_id for c in commands if _is_anybodys(c) and (v := found.visit(c.visit)) and v.version > 1}
    return found._replace(
        taken=await store.taken({(c.client, c.key) for c in commands}),
        kinds=await store.kinds(clinics),
        policies=await store.every_policy(clinics) if any(c.form for c in commands) else {},
        patients=await store.patients_named(named) if named else {},
        kept=await store.kept(ours) if ours else {},
        hands=await store.hands(unnamed) if unnamed else {},
    )


def _is_anybodys(command: GiveClearance) -> bool:
    """Say whether only the time of a word tells whose it is."""
    return command.patient is None and command.spoken_at is not None


def _take(
    command: GiveClearance,
    client: Client,
    known: Known,
    held: dict[UUID, dict[Slot, Clearance]],
    words: dict[tuple[str, str], Word],
    now: datetime,
) -> ClearanceAnswer:
    try:
        visit = _visit_of(command, client, known)
        if before := _before(command, visit, known, words):
            return ClearanceAnswer(command.key, ClearanceResult.REPEAT, before, command.warnings)
        mine, patient = held.setdefault(visit.appointment_id, {}), known.patient_of(command, visit)
        is_anothers = patient != visit.patient_id
        in_vain = is_anothers and not takes_back_his(mine, command, patient)
        check(command, _facts(command, visit, known, is_anothers=in_vain), now)
        result, kept, warnings = decide(mine, command, now, patient)
    except Refused as refusal:
        return ClearanceAnswer(command.key, refusal=beside(refusal, command.warnings))
    slot = (kept.kind, kept.form)
    takes_away = kept.state in TAKES_BACK or (kept.state not in CLEARS and slot in mine and mine[slot].state in CLEARS)
    takes_away = takes_away and not is_anothers
    if result is not ClearanceResult.STALE:
        mine[slot] = kept
    newest = max(one.version for one in mine.values())
    said = kept if result is ClearanceResult.APPLIED else _as_said(command, kept, newest, now)
    words[command.client, command.key] = Word(command, visit, result, said, takes_away)
    taken = Taken(command.body_sha256, result, visit.appointment_id, *slot, newest)
    return ClearanceAnswer(command.key, result, taken, warnings)


def _visit_of(command: GiveClearance, client: Client, known: Known) -> Visit:
    visit = known.visit(command.visit)
    if visit is None or not client.sees_visit(visit.source, visit.clinic_id):
        raise Refused(UNKNOWN_APPOINTMENT, "no such appointment, or none of this client", "appointment")
    client.check_may_clear()
    return visit


def _before(command: GiveClearance, visit: Visit, known: Known, words: Mapping[tuple[str, str], Word]) -> Taken | None:
    """Return what became of the same word, if it was taken before.

    Raises:
        Refused: EVENT_ID_CONFLICT: the id was used for another, or of another visit.
    """
    key = (command.client, command.key)
    before = known.taken.get(key)
    if before is None and key in words:
        word = words[key]
        slot = (word.said.kind, word.said.form)
        before = Taken(word.command.body_sha256, word.result, word.visit.appointment_id, *slot, word.said.version)
    same = (command.body_sha256, visit.appointment_id)
    if before is not None and (before.body_sha256, before.appointment_id) != same:
        raise Refused("EVENT_ID_CONFLICT", "this event id was used for another body or visit", "event_id")
    return before


def _facts(command: GiveClearance, visit: Visit, known: Known, *, is_anothers: bool) -> Facts:
    versions = known_versions(known.policies.get(visit.clinic_id, ()), command.kind, command.form or "")
    return Facts(visit, known.kinds[visit.clinic_id].get(command.kind), versions, is_anothers)


def _as_said(command: GiveClearance, kept: Clearance, version: int, now: datetime) -> Clearance:
    """Return what a word that changed nothing says, as it is appended."""
    told = {name: getattr(command, name) for name in Clearance._fields if name in GiveClearance._fields}
    return kept._replace(**{**told, "form": kept.form, "version": version, "recorded_at": now})


async def _write(
    store: ClearanceStore, words: Sequence[Word], held: Mapping[UUID, Mapping[Slot, Clearance]], now: datetime
) -> None:
    visits = {word.visit.appointment_id: word.visit for word in words}
    await store.keep(words, {key: held[key] for key in visits})
    changed = [word for word in words if word.result is ClearanceResult.APPLIED]
    if not changed:
        return
    standing = await store.standing({word.visit.appointment_id for word in changed}, now)
    await store.tell(changed, standing, now)
    taken_back = {word.visit.appointment_id for word in changed if word.takes_away}
    lacking = [visits[key] for key in sorted(taken_back) if not (standing[key].is_cleared or visits[key].is_over)]
    if lacking:
        await store.flag(lacking, now)
    cleared = {word.visit.appointment_id: word for word in changed if standing[word.visit.appointment_id].is_cleared}
    for key, word in sorted(cleared.items()):
        await store.settle([key], f"{word.command.client}/{word.command.key}", now)


def _by_slot(found: Iterable[Clearance]) -> dict[Slot, Clearance]:
    return {(one.kind, one.form): one for one in found}


def _log(answers: Sequence[ClearanceAnswer]) -> None:
    """Say what changed, with ids only (R31), and what was refused."""
    changed = [a.taken for a in answers if a.result is ClearanceResult.APPLIED and a.taken is not None]
    if changed:
        ids = sorted({str(one.appointment_id) for one in changed})[:20]
        after_commit(log.info, "clearances.changed", count=len(changed), appointment_ids=ids)
    codes = sorted({answer.refusal.code for answer in answers if answer.refusal})
    if codes:
        after_commit(log.warning, "clearances.refused", codes=codes)
