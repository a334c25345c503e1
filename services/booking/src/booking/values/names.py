"""By which names something is known, and whose the names are that a message carries (D40, D53); pure.

A name is a source's own text: an id, or `system|value` of an identifier.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from booking.values.identity import Identity

MOST_NAMES = 20
"""Names that one message may give to one thing; further ones are dropped."""


class Found[K](NamedTuple):
    """Whose a message's names are.

    Attributes:
        owners: Those whom they name, the first name's owner first; none: the names are new. Two are a conflict.
        passed: Whether a name was passed over because it cannot be of this one alone: `are_two`.
    """

    owners: Sequence[K]
    passed: bool


@dataclass(slots=True)
class Names[K]:
    """Names and their owners, as they are known and as the commands of a batch leave them.

    Attributes:
        owners: Name → owner.
        texts: Owner → all his names, for those of whom `in_doubt` says that they are wanted.
        given: Name → owner, of names that were nobody's before.
    """

    owners: dict[Identity, K]
    texts: dict[K, set[str]] = field(default_factory=dict)
    given: dict[Identity, K] = field(default_factory=dict)

    def find(self, names: Sequence[Identity], may_be: Callable[[K], bool] | None = None) -> Found[K]:
        """Return whose the names are. The first name is believed; of another's owner it is judged whether he can be.

        A name that is passed over is one that several share. One of a system of which the first name's owner has
        another is not: it says that the message is of two.

        Args:
            may_be: Whether somebody may be the one who is meant although his other names are not these, where the
                first name is nobody's yet; None: he is not.
        """
        if len(names) == 1:
            owner = self.owners.get(names[0])
            return Found(() if owner is None else (owner,), passed=False)
        owners = list(dict.fromkeys(self.owners[name] for name in names if name in self.owners))
        if not owners or owners == [self.owners.get(names[0])]:
            return Found(owners, passed=False)
        texts, first = {text for _, text in names}, self.owners.get(names[0])
        renamed = may_be if first is None else None
        kept = [
            owner
            for owner in owners
            if owner == first or (renamed and renamed(owner)) or not are_two(texts, self.texts.get(owner, ()))
        ]
        passed = {name[1] for name in names if name in self.owners and self.owners[name] not in kept}
        if first is not None and are_two(passed, self.texts.get(first, ())):
            return Found(owners, passed=False)
        return Found(kept, passed=len(kept) < len(owners))

    def meant(self, names: Sequence[Identity], new: Sequence[K]) -> tuple[K | None, bool]:
        """Return the first name's owner, else another's, else `new`; and whether an owner was passed over."""
        found = self.find(names)
        return next(iter([*found.owners, *new]), None), found.passed or len(found.owners) > 1

    def give(self, names: Sequence[Identity], owner: K) -> None:
        """Let the names that are nobody's be this owner's."""
        for name in names:
            if name not in self.owners:
                self.owners[name] = self.given[name] = owner
        if len(names) > 1:
            self.texts.setdefault(owner, set()).update(text for _, text in names)


def in_doubt[K](messages: Iterable[Sequence[Identity]], owners: Mapping[Identity, K]) -> set[K]:
    """Return the owners whose other names decide whether they are meant: the first name alone does not say it."""
    found: set[K] = set()
    for names in messages:
        if len(names) > 1:
            whose = {owners[name] for name in names if name in owners}
            if whose - {owners.get(names[0])}:
                found |= whose
    return found


def are_two(texts: Collection[str], others: Collection[str]) -> bool:
    """Say whether these names cannot be of one: both have some of one system, and none of it is the same.

    So a number that several share (a referral's, a household's) does not make one of them. Absolute references to one
    type of resource are of one system: `Patient/1` of two servers is two. Other names without a system do not say of
    which count they are, and decide nothing.
    """
    mine, theirs = _by_system(texts), _by_system(others)
    return any(mine[system].isdisjoint(theirs[system]) for system in mine.keys() & theirs.keys())


def _by_system(texts: Collection[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for text in texts:
        system, bar, value = text.rpartition("|")
        if not bar and "://" in text:
            system, value = text.split("/")[-2], text
        if system:
            found.setdefault(system, set()).add(value)
    return found
