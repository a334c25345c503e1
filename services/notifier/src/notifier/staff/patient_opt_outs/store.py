"""A patient's opt-outs in PostgreSQL: those of the addresses that booking has of him in this moment."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from chassis.postgres.database import Connection, Pool
from notifier.gate.domain.visit import email_of, mobile_of
from notifier.gate.store import read_people
from notifier.opt_outs.bodies import WhatBody
from notifier.opt_outs.store import OF_A_NUMBER, Lifted, lift, opt_outs, stop
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


async def shown(pool: Pool, patient_id: UUID, known: Known) -> PatientOptOuts:
    """Return what is stopped at these addresses, each on the channels on which it is used."""
    items, lifted = [], []
    for address, channels in known.items():
        told = await opt_outs(pool, address)
        items += [one for one in told.items if one.channel in channels]
        lifted += [one for one in told.lifted if one.channel in channels]
    reached = {channel for channels in known.values() for channel in channels}
    without = [channel for channel in OUTSIDE if channel not in reached]
    return PatientOptOuts(patient_id=patient_id, items=items, lifted=lifted, without_address=without)


async def stop_at(connection: Connection, known: Known, what: WhatBody, cause: str, now: datetime) -> None:
    """Stop what is named at the addresses on whose channels it would leave."""
    for address, channels in known.items():
        named = [channel for channel in what.outside if channel in channels]
        await stop(connection, address, named, what.categories, cause, now)


async def lift_at(
    connection: Connection, known: Known, what: WhatBody, cause: str, now: datetime, lifted: Lifted
) -> None:
    """Take back what is named, and let what waited for it be looked at again."""
    for address, channels in known.items():
        named = [channel for channel in what.outside if channel in channels]
        if await lift(connection, address, named, what.categories, cause, now):
            await lifted(connection, address, now)
