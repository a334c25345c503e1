"""A patient's opt-outs in PostgreSQL: those of the addresses that booking has of him in this moment."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from chassis.api.problems import Problem
from chassis.postgres.database import Connection, Pool
from notifier.gate.domain.visit import email_of, mobile_of
from notifier.gate.store import read_people
from notifier.opt_outs.bodies import OptOutView, WhatBody
from notifier.opt_outs.store import OF_A_NUMBER, Lifted, lift, opt_outs, stop
from notifier.staff.patient_opt_outs.authors import as_told, kind_of
from notifier.staff.patient_opt_outs.bodies import PatientOptOuts
from notifier.values.addresses import Address, Peppers
from schemas.notifications import Channel

OUTSIDE = (Channel.EMAIL, Channel.SMS, Channel.WHATSAPP)

type Known = Mapping[Address, tuple[Channel, ...]]
"""Each address of a patient, and the channels on which it is used."""


async def known_addresses(connection: Connection, peppers: Peppers, patient_id: UUID) -> tuple[UUID, Known] | None:
    """Return the patient as he is kept, and his addresses; None: booking has none of this id."""
    person = (await read_people(connection, [patient_id])).get(patient_id)
    if person is None:
        return None
    found = ((email_of(person), (Channel.EMAIL,)), (mobile_of(person), OF_A_NUMBER))
    return person.patient_id, {peppers.of(address): channels for address, channels in found if address}


async def shown(pool: Pool, patient_id: UUID, known: Known, client: str | None) -> PatientOptOuts:
    """Return what is stopped at these addresses, each on the channels on which it is used.

    Args:
        client: What the caller's own causes begin with; None: who it was is told of all.
    """
    items, lifted = [], []
    for address, channels in known.items():
        told = await opt_outs(pool, address)
        items += [as_told(one, client) for one in told.items if one.channel in channels]
        lifted += [as_told(one, client) for one in told.lifted if one.channel in channels]
    reached = {channel for channels in known.values() for channel in channels}
    without = [channel for channel in OUTSIDE if channel not in reached]
    return PatientOptOuts(patient_id=patient_id, items=items, lifted=lifted, without_address=without)


async def stop_at(connection: Connection, known: Known, what: WhatBody, cause: str, now: datetime) -> None:
    """Stop what is named at the addresses on whose channels it would leave."""
    for address, channels in known.items():
        named = [channel for channel in what.outside if channel in channels]
        await stop(connection, address, named, what.categories, cause, now)


async def lift_at(
    connection: Connection, known: Known, what: WhatBody, cause: str, now: datetime, lifted: Lifted, client: str | None
) -> None:
    """Take back what is named, and let what waited for it be looked at again.

    Args:
        client: What the caller's own causes begin with: only what has one is lifted. None: all.

    Raises:
        Problem: 403 STOPPED_BY_OTHERS: something named stays because the client did not stop it. The transaction is
            to be rolled back.
    """
    free, stays = list[Address](), list[OptOutView]()
    for address, channels in known.items():
        named = [channel for channel in what.outside if channel in channels]
        if await lift(connection, address, named, what.categories, cause, now, client):
            free.append(address)
        if client is not None:
            held = (await opt_outs(connection, address)).items
            stays += [one for one in held if one.channel in named and one.category in what.categories]
    if stays:
        raise _stays(stays)
    for address in free:
        await lifted(connection, address, now)


def _stays(held: Sequence[OptOutView]) -> Problem:
    by_whom = ", ".join(f"{one.channel.value} {one.category.value} by {kind_of(one.caused_by)}" for one in held)
    return Problem(
        403,
        "STOPPED_BY_OTHERS",
        f"Nothing is lifted, for a client lifts what it stopped itself, and this was stopped by others: {by_whom}. "
        "The reader lifts it by START, staff with the operator's key. `channels` and `categories` name the rest.",
    )
