"""The other services' read APIs, asked for the timeline: short timeouts, and every failure has a code."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx2
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from chassis.process.errors import Unavailable
from notifier.timeline.domain.check_ins import CheckInFact, RefusedFact
from notifier.timeline.domain.entries import (
    ClearanceFact,
    Lacking,
    ReminderFact,
    ReminderStage,
    SubFileFact,
    VersionFact,
)
from notifier.timeline.handle import Booked, OwnFacts
from notifier.timeline.store import OwnLedger

HISTORIES_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the other parts answer; None: not told, and so reported as missing."""

    booking: str | None
    records: str | None
    reminders: str | None


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Policy(_Read):
    policy_id: str = ""


class _Version(_Read):
    version: int
    status: str
    confirmed: bool = False
    mode: str = "live"
    clinic_id: str
    provider_id: str | None = None
    starts_at: datetime | None = None
    zone: str
    schedule_gen: int
    policy: _Policy = _Policy()
    ingest_time: datetime
    source: str
    caused_by: str | None = None
    reason: str | None = None
    patient_id: str | None = None
    barred: str | None = None


class _Lack(_Read):
    kind: str
    form: str | None = None
    code: str
    title: str


class _CheckIn(_Read):
    version: int
    checked_at: datetime
    client: str
    by: str | None = None
    at_desk: bool
    overridden: bool
    reason: str | None = None
    lacking: list[_Lack]


class _RefusedCheckIn(_Read):
    version: int
    refused_at: datetime
    code: str
    status: str
    client: str
    by: str | None = None
    lacking: list[_Lack]


class _Appointment(_Read):
    source: str
    source_id: str
    history: list[_Version]
    check_ins: list[_CheckIn] = []
    refused_check_ins: list[_RefusedCheckIn] = []  # a booking of the release before keeps none


class _Word(_Read):
    kind: str
    form: str | None = None
    state: str
    version: int
    recorded_at: datetime
    client: str
    reason: str | None = None
    result: str


class _Standing(_Read):
    lacking: list[_Lack]


class _Clearances(_Read):
    standing: _Standing
    history: list[_Word]


class _SubFile(_Read):
    sub_file_id: str
    status: str
    number: str | None = None
    appointment_id: UUID
    created_at: datetime


class _Reminder(_Read):
    reminder_id: str
    rule: str | None = None
    schedule_gen: int
    scheduled_for: datetime | None = None
    not_after: datetime | None = None


class _Stage(_Read):
    status: str
    reason: str | None = None
    handed_over_at: datetime | None = None
    notification_id: str | None = None
    delivery_state: str | None = None
    at: datetime
    caused_by: str


class _Items[T: BaseModel](_Read):
    items: list[T]


class AllParts:
    """`timeline.handle.Parts`: the other services by their APIs, the ledger by its tables."""

    def __init__(self, http: httpx2.AsyncClient, addresses: Addresses, timeout_s: float, ledger: OwnLedger) -> None:
        self._http, self._addresses, self._timeout_s, self._ledger = http, addresses, timeout_s, ledger

    async def own(self, appointment_id: UUID) -> OwnFacts:
        return await self._ledger.facts(appointment_id)

    async def booked(self, appointment_id: UUID) -> Booked:
        url, path = self._addresses.booking, f"/v1/appointments/{appointment_id}"
        told, cleared = await asyncio.gather(
            self._ask(_Appointment, url, path), self._ask(_Clearances, url, f"{path}/clearances")
        )
        if told is None:
            return Booked()
        history = tuple(_version(one) for one in told.history)
        zone = told.history[-1].zone if told.history else None
        booked = Booked(
            told.source,
            told.source_id,
            zone,
            history,
            check_ins=tuple(map(_check_in, told.check_ins)),
            refused=tuple(map(_refused, told.refused_check_ins)),
        )
        if cleared is None:  # a booking of the release before knows of none
            return booked
        words = tuple(_word(one) for one in cleared.history if one.result == "applied")
        return replace(booked, clearances=words, lacking=_lacking(cleared.standing.lacking))

    async def sub_files(self, appointment_id: UUID) -> Sequence[SubFileFact]:
        told = await self._ask(
            _Items[_SubFile], self._addresses.records, "/v1/subfiles", appointment=str(appointment_id)
        )
        return [
            SubFileFact(one.sub_file_id, one.status, one.number, one.created_at, one.appointment_id == appointment_id)
            for one in (told.items if told else ())
        ]

    async def reminders(self, appointment_id: UUID) -> Sequence[ReminderFact]:
        url = self._addresses.reminders
        told = await self._ask(_Items[_Reminder], url, "/v1/reminders", appointment=str(appointment_id), limit="1000")
        turn = asyncio.Semaphore(HISTORIES_AT_ONCE)

        async def whole(one: _Reminder) -> ReminderFact | None:
            async with turn:
                past = await self._ask(_Items[_Stage], url, f"/v1/reminders/{one.reminder_id}/history")
            stages = tuple(_stage(stage) for stage in (past.items if past else ()))
            rule = one.rule or "of an unknown rule"
            of_it = (one.reminder_id, rule, one.schedule_gen, one.scheduled_for, stages, one.not_after)
            return ReminderFact(*of_it) if stages else None

        found = await asyncio.gather(*(whole(one) for one in (told.items if told else ())))
        return [one for one in found if one is not None]

    async def _ask[T: BaseModel](self, shape: type[T], url: str | None, path: str, **query: str) -> T | None:
        """Return the answer, or None for 404.

        Raises:
            Unavailable: NOT_CONFIGURED, TIMEOUT, NO_ANSWER, KEY_REFUSED, HTTP_<status> or UNREADABLE.
        """
        if url is None:
            raise Unavailable("NOT_CONFIGURED", "the part's address was not told")
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._http.get(f"{url.rstrip('/')}{path}", params=query)
        except (TimeoutError, httpx2.TimeoutException):
            raise Unavailable("TIMEOUT", f"no answer within {self._timeout_s} s") from None
        except httpx2.HTTPError as error:
            raise Unavailable("NO_ANSWER", type(error).__name__) from None
        if answer.status_code == 404:
            return None
        if answer.status_code in {401, 403}:
            raise Unavailable("KEY_REFUSED", "NOTIFIER_READ_KEY is not the operator's key")
        if answer.status_code != 200:
            raise Unavailable(f"HTTP_{answer.status_code}", "the part answered with a problem")
        try:
            return shape.model_validate_json(answer.content)
        except ValidationError:
            raise Unavailable("UNREADABLE", "the part's answer is not of the shape known") from None


def reading_client(key: SecretStr | None, timeout_s: float) -> httpx2.AsyncClient:
    """Return a client with the key that the other parts' read APIs let in; to be closed by the caller."""
    given: dict[str, Any] = {"headers": {"Authorization": f"Bearer {key.get_secret_value()}"}} if key else {}
    return httpx2.AsyncClient(timeout=timeout_s, trust_env=False, **given)


def _version(one: _Version) -> VersionFact:
    return VersionFact(
        one.version,
        one.status,
        one.confirmed,
        one.mode,
        one.clinic_id,
        one.provider_id,
        one.starts_at,
        one.schedule_gen,
        one.policy.policy_id,
        one.ingest_time,
        one.source,
        one.caused_by,
        one.reason,
        one.patient_id,
        one.barred,
    )


def _word(one: _Word) -> ClearanceFact:
    return ClearanceFact(one.kind, one.form, one.state, one.version, one.recorded_at, one.client, one.reason)


def _lacking(told: list[_Lack]) -> tuple[Lacking, ...]:
    return tuple(Lacking(one.kind, one.form, one.code, one.title) for one in told)


def _check_in(one: _CheckIn) -> CheckInFact:
    lacking = _lacking(one.lacking)
    return CheckInFact(
        one.version, one.checked_at, one.client, one.by, one.at_desk, one.overridden, one.reason, lacking
    )


def _refused(one: _RefusedCheckIn) -> RefusedFact:
    return RefusedFact(one.version, one.refused_at, one.code, one.status, one.client, one.by, _lacking(one.lacking))


def _stage(one: _Stage) -> ReminderStage:
    return ReminderStage(
        one.at,
        one.status,
        one.reason,
        one.handed_over_at is not None,
        one.notification_id,
        one.delivery_state,
        one.caused_by,
    )
