"""Compares a run under faults with the undisturbed one, which the independent model gives."""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stack.demo.client import Client, gather_by_key
from stack.demo.comparison import Row, compare
from stack.demo.expectation import Facts
from stack.demo.found import Names, find
from tests.chaos.load import Load


@dataclass(frozen=True)
class Outcome:
    """What a run under faults came to.

    Attributes:
        rows: Expected against actual, unknown sends set aside.
        unknown: How many sends are listed as unknown.
        reached: How many of those did arrive, by the carriers' own log.
        attempts: Attempt id, as carriers know it → the messages that the call was made for, by the ledger.
    """

    rows: list[Row]
    unknown: int
    reached: int
    attempts: dict[str, list[str]]

    @property
    def differences(self) -> list[Row]:
        """Return the lines that do not agree."""
        return [row for row in self.rows if not row.agrees]


async def judge(client: Client, names: Names, load: Load, want: Facts) -> Outcome:
    """Return the outcome of a run.

    A send listed as unknown may have arrived once or not at all; everything else must be exactly as
    expected.
    """
    found = await find(client, names)
    by_id = {known: name for name, known in names.appointments.items()}
    patient_of = {change.appointment: load.patients[change.patient] for change in load.bookings}
    reached = []
    attempts: defaultdict[str, list[str]] = defaultdict(list)
    for appointment, rows in (await gather_by_key(by_id, client.notifications)).items():
        name = by_id[appointment]
        for told, call in ((row["notification_id"], call) for row in rows for call in row["calls"]):
            attempts[call["with_attempt"] or call["attempt_id"]].append(told)
        for row in (row for row in rows if row["outcome"] == "unknown"):
            patient = patient_of[name]
            address = patient.email if row["channel"] == "email" else patient.mobile
            _set_aside(want, found, name, row)
            reached.append(_arrived(want, found, (row["channel"], address or "")))
    return Outcome(compare(want, found), len(reached), sum(reached), attempts)


def _set_aside(want: Facts, found: Facts, appointment: str, row: dict[str, Any]) -> None:
    """Take the unknown send out of both sides."""
    if row["kind"] != "reminder":
        for facts in (want, found):
            _drop(facts.news, lambda f: f[:2] == (appointment, row["kind"]) and f[2] in {"accepted", "unknown"})
        return
    open_rules = {f[2] for f in found.reminders if f[:2] == (appointment, row["schedule_gen"]) and f[3] == "SCHEDULED"}
    for facts in (want, found):
        _drop(facts.reminders, lambda f: f[:2] == (appointment, row["schedule_gen"]) and f[2] in open_rules)


def _drop[F](facts: Counter[F], which: Callable[[F], bool]) -> None:
    for fact in [fact for fact in facts if which(fact)]:
        del facts[fact]


def _arrived(want: Facts, found: Facts, message: tuple[str, str]) -> bool:
    """Say whether the send is in the carriers' log; if it is not, it is not wanted either."""
    if found.messages[message] >= want.messages[message]:
        return True
    want.messages[message] -= 1
    return False
