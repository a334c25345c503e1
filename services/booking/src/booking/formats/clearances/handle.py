"""What booking does about clearances that other systems send, in one transaction: it finds whose each is, and gives it.

The visits and the patients are found before the visits are locked: a name, once it is known, stays its visit's.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from booking.clearances.domain.clearance import GiveClearance
from booking.clearances.handle import ClearanceAnswer, ClearanceStore, give
from booking.door.domain import Client
from booking.formats.clearances.names import meant, patients_named, visits_named
from booking.formats.clearances.told import ToldClearance
from booking.values.refusals import Refused
from booking.values.warned import beside


async def give_told(
    store: ClearanceStore, told: Sequence[ToldClearance], clients: Mapping[str, Client], now: datetime
) -> list[ClearanceAnswer]:
    """Take clearances, those of one visit in the order given, and answer each; refusals name places of the sender's.

    Args:
        clients: By id; every sender's.
    """
    visits = await store.visits_named(visits_named(told))
    patients = await store.patients_named(patients_named(told))
    answers: dict[int, ClearanceAnswer] = {}
    commands: dict[int, GiveClearance] = {}
    for number, one in enumerate(told):
        try:
            commands[number] = meant(one, visits, patients).command
        except Refused as refusal:
            answers[number] = ClearanceAnswer(one.command.key, refusal=refusal)
    given = await give(store, list(commands.values()), clients, now)
    answers |= dict(zip(commands, given, strict=True))
    return [_in_its_words(answers[number], one) for number, one in enumerate(told)]


def _in_its_words(answer: ClearanceAnswer, told: ToldClearance) -> ClearanceAnswer:
    if answer.refusal is None:
        return answer
    return answer._replace(refusal=beside(told.in_its_words(answer.refusal), told.command.warnings))
