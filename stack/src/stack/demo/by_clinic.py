"""Expected against actual for each clinic, by the format in which it is fed."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from stack.demo.changes import Change
from stack.demo.expectation import Facts
from stack.demo.people import CLINICS
from stack.demo.week import Week

FORMATS = {"events": "JSON events over HTTP", "hl7v2": "HL7 v2 over MLLP", "csv, then events": "JSON events over HTTP"}
HISTORY, FHIR = "CSV, imported as history", "FHIR R4 over HTTP"


@dataclass(frozen=True)
class Feed:
    """What one clinic says in one format."""

    clinic: str
    format: str
    appointments: frozenset[str]


@dataclass(frozen=True, slots=True)
class FeedRow:
    """What came of a feed: each pair is what was expected, and what was found.

    Attributes:
        sent: Messages to patients that a carrier took.
        skipped: Those that were not to leave, each with its reason; failed ones are in neither.
        lost: Expected facts of its visits that were not found.
        doubled: Facts found beside those expected.
    """

    feed: Feed
    visits: tuple[int, int]
    sent: tuple[int, int]
    skipped: tuple[int, int]
    lost: int
    doubled: int


def feeds_of(week: Week, fhir: Sequence[Change] = ()) -> list[Feed]:
    """Return the feeds of the week, and of the FHIR messages before it if there were any."""
    told = [one for one in week.changes if one.answer == "applied"]
    parts = [(clinic.code, FORMATS[clinic.speaks], _of(told, clinic.code)) for clinic in CLINICS]
    parts += [(clinic.code, HISTORY, _of(week.history, clinic.code)) for clinic in CLINICS]
    parts += [(code, FHIR, _of(fhir, code)) for code in sorted({one.clinic for one in fhir})]
    return [Feed(*part) for part in parts if part[2]]


def rows(feeds: Iterable[Feed], expected: Facts, found: Facts) -> list[FeedRow]:
    """Return the table's rows."""
    return [_row(feed, expected, found) for feed in feeds]


def _of(changes: Iterable[Change], clinic: str) -> frozenset[str]:
    return frozenset(one.appointment for one in changes if one.clinic == clinic)


def _row(feed: Feed, *both: Facts) -> FeedRow:
    told = [_told(facts, feed.appointments) for facts in both]
    visits = [sum(n for fact, n in facts.visits.items() if fact[0] in feed.appointments) for facts in both]
    sent, skipped = ([_count(one, outcomes) for one in told] for outcomes in (SENT, SKIPPED))
    lost, doubled = told[0] - told[1], told[1] - told[0]
    return FeedRow(feed, _pair(visits), _pair(sent), _pair(skipped), lost.total(), doubled.total())


SENT, SKIPPED = frozenset({"SENT", "accepted"}), frozenset({"CANCELLED", "skipped"})
Fact = tuple[str, ...]


def _told(facts: Facts, appointments: Collection[str]) -> Counter[Fact]:
    """Return every message to a patient of these visits: (visit, what, outcome, why)."""
    found: Counter[Fact] = Counter()
    for (visit, generation, rule, status, why), n in facts.reminders.items():
        found[visit, f"{rule} {generation}", status, why] += n
    for (visit, kind, outcome, why), n in facts.news.items():
        found[visit, kind, outcome, why] += n
    return Counter({fact: n for fact, n in found.items() if fact[0] in appointments})


def _count(told: Counter[Fact], outcomes: Collection[str]) -> int:
    return sum(n for (_, _, outcome, _), n in told.items() if outcome in outcomes)


def _pair(both: Sequence[int]) -> tuple[int, int]:
    expected, found = both
    return expected, found
