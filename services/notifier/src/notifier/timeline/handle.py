"""The story of a timeline: ask every part at once, take what comes, say who did not answer (B1, R40)."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis.process.errors import AttendError, Unavailable
from notifier.timeline.domain.answer import WhatPatientGot, answer
from notifier.timeline.domain.check_ins import CheckInFact, LetIn, RefusedFact, let_in, of_check_ins, of_refused
from notifier.timeline.domain.entries import (
    ClearanceFact,
    Entry,
    Lacking,
    ReminderFact,
    SubFileFact,
    VersionFact,
    merge,
    of_clearances,
    of_reminders,
    of_sub_files,
    of_versions,
)
from notifier.timeline.domain.outlook import Outlook
from notifier.timeline.domain.sent_messages import (
    ActFact,
    MessageFact,
    OptOutFact,
    ReceiptFact,
    ReplyFact,
    of_acts,
    of_messages,
    of_opt_outs,
    of_receipts,
    of_replies,
)
from notifier.timeline.domain.tellers import TellerFact, with_tellers
from schemas.zones import UnknownZone, zone_of


class UnknownAppointment(AttendError):
    """Booking does not know it, and nobody else has ever heard of it."""

    def __init__(self) -> None:
        super().__init__("UNKNOWN_APPOINTMENT", "no part knows an appointment of this id")


@dataclass(frozen=True, slots=True)
class Booked:
    """What booking tells of an appointment: its names, every version, what clears it or lacks, and who was let in."""

    source: str | None = None
    source_id: str | None = None
    zone: str | None = None
    history: tuple[VersionFact, ...] = ()
    clearances: tuple[ClearanceFact, ...] = ()
    lacking: tuple[Lacking, ...] = ()
    check_ins: tuple[CheckInFact, ...] = ()
    refused: tuple[RefusedFact, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnFacts:
    """What the notifier's own ledger holds of it.

    Attributes:
        zone: The clinic's, by the send gate.
        outlook: What the gate sees now; None for a visit that it does not know.
    """

    zone: str | None = None
    messages: tuple[MessageFact, ...] = ()
    receipts: tuple[ReceiptFact, ...] = ()
    replies: tuple[ReplyFact, ...] = ()
    opt_outs: tuple[OptOutFact, ...] = ()
    acts: tuple[ActFact, ...] = ()
    tellers: tuple[TellerFact, ...] = ()
    outlook: Outlook | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """A part that did not answer: NOT_CONFIGURED, TIMEOUT, NO_ANSWER, KEY_REFUSED, HTTP_<status>, UNREADABLE."""

    service: str
    code: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """All that is known, in the order of time."""

    appointment_id: UUID
    source: str | None
    source_id: str | None
    status: str | None
    zone: str
    entries: Sequence[Entry]
    answer: WhatPatientGot
    missing: Sequence[Missing] = field(default_factory=tuple)
    lacking: Sequence[Lacking] = field(default_factory=tuple)
    let_in: LetIn | None = None


class Parts(Protocol):
    """Where facts come from. Each method raises `Unavailable`, its code saying how the part failed."""

    async def booked(self, appointment_id: UUID) -> Booked:
        """Return booking's facts; empty ones for an appointment that it does not know."""

    async def sub_files(self, appointment_id: UUID) -> Sequence[SubFileFact]:
        """Return the files of the visit's patient at its clinic."""

    async def reminders(self, appointment_id: UUID) -> Sequence[ReminderFact]:
        """Return the visit's reminders with their histories, soonest first."""

    async def own(self, appointment_id: UUID) -> OwnFacts:
        """Return what the notifier's ledger holds."""


async def tell(parts: Parts, appointment_id: UUID) -> Timeline:
    """Return the timeline of one appointment, whole or with the names of those that did not answer."""
    missing: list[Missing] = []

    async def asked[T](service: str, question: Awaitable[T], nothing: T) -> T:
        try:
            return await question
        except Unavailable as error:
            missing.append(Missing(service, error.code))
            return nothing

    booked, files, reminders, own = await asyncio.gather(
        asked("booking", parts.booked(appointment_id), Booked()),
        asked("records", parts.sub_files(appointment_id), ()),
        asked("reminders", parts.reminders(appointment_id), ()),
        asked("notifier", parts.own(appointment_id), OwnFacts()),
    )
    if not (missing or booked.history or booked.source_id or files or reminders or own.messages):
        raise UnknownAppointment
    zone = _zone(booked.zone or own.zone)
    own = replace(own, messages=with_tellers(own.messages, own.tellers, reminders, str(appointment_id), zone))
    missing.sort(key=lambda one: one.service)
    status = booked.history[-1].status if booked.history else None
    return Timeline(
        appointment_id,
        booked.source,
        booked.source_id,
        status,
        zone.key,
        _entries(booked, files, reminders, own, zone),
        answer(own.messages, reminders, booked.history, [one.service for one in missing], zone, own.outlook),
        tuple(missing),
        booked.lacking,
        let_in(status, booked.check_ins),
    )


def _zone(name: str | None) -> ZoneInfo:
    """Return the clinic's zone, or UTC without one that is known: the rest is told all the same."""
    try:
        return zone_of(name or "UTC")
    except UnknownZone:
        return zone_of("UTC")


def _entries(
    booked: Booked, files: Sequence[SubFileFact], reminders: Sequence[ReminderFact], own: OwnFacts, zone: ZoneInfo
) -> list[Entry]:
    return merge(
        (
            of_versions(booked.history, zone),
            of_clearances(booked.clearances),
            of_check_ins(booked.check_ins),
            of_refused(booked.refused),
            of_sub_files(files),
            of_reminders(reminders, zone),
            of_messages(own.messages, zone, held=own.outlook is not None and own.outlook.hold is not None),
            of_receipts(own.receipts),
            of_replies(own.replies),
            of_opt_outs(own.opt_outs),
            of_acts(own.acts),
        )
    )
