"""Expected against actual, line by line."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from stack.demo.expectation import Facts

EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `missing` and `extra` count facts, so equal counts of unequal facts do not agree."""

    what: str
    expected: int
    actual: int
    missing: int
    extra: int
    examples: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether exactly the expected facts were found."""
        return not self.missing and not self.extra


def compare(expected: Facts, actual: Facts) -> list[Row]:
    """Return every line of the table, each kind of fact by its outcome."""
    return [
        *_rows("visits", expected.visits, actual.visits, lambda fact: fact[1]),
        *_rows("check-ins", expected.check_ins, actual.check_ins, lambda fact: " ".join(filter(None, fact[1:]))),
        *_rows("work list", expected.work_list, actual.work_list, lambda fact: f"{fact[1]} {fact[2]}"),
        *_rows("sub-files", expected.sub_files, actual.sub_files, lambda fact: fact[2]),
        *_rows("reminders", expected.reminders, actual.reminders, lambda fact: f"{fact[3]} {fact[4]}"),
        *_rows("told", expected.news, actual.news, lambda fact: f"{fact[1]} {fact[2]} {fact[3]}"),
        *_rows("provider notices", expected.notices, actual.notices, lambda fact: fact[1].removeprefix("provider-")),
        *_rows("messages at the carriers", expected.messages, actual.messages, lambda fact: fact[0]),
    ]


def _rows[F: Hashable](what: str, expected: Counter[F], actual: Counter[F], group: Callable[[F], str]) -> list[Row]:
    groups = sorted({group(fact) for fact in expected | actual})
    return [_row(f"{what}: {name}", *(_only(facts, name, group) for facts in (expected, actual))) for name in groups]


def _only[F: Hashable](facts: Counter[F], name: str, group: Callable[[F], str]) -> Counter[F]:
    return Counter({fact: count for fact, count in facts.items() if group(fact) == name})


def _row[F: Hashable](what: str, expected: Counter[F], actual: Counter[F]) -> Row:
    missing, extra = expected - actual, actual - expected
    examples = (*_named("missing", missing), *_named("extra", extra))
    return Row(what, expected.total(), actual.total(), missing.total(), extra.total(), examples)


def _named[F: Hashable](how: str, facts: Counter[F]) -> list[str]:
    return first_of([f"{how} {fact}" for fact in facts.elements()], EXAMPLES, how)


def first_of(lines: Sequence[str], most: int, what: str) -> list[str]:
    """Return the first lines and, if there are more, a last one that says how many."""
    left = len(lines) - most
    return [*lines[:most], f"… and {left} more {what}"] if left > 0 else list(lines)
