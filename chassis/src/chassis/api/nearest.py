"""The known name that is meant by one that is misspelt, in another case, or has its words joined otherwise."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]{0,39}")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is meant: `givenName` is `given_name`, `strat` is `start`; None if none is near."""
    plain = {_plain(one): one for one in known}
    close = get_close_matches(_plain(name), plain, 1)
    return plain[close[0]] if close else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the question, to end a sentence about an unknown name with; empty if none is near."""
    near = nearest(name, known)
    return f"; did you mean {near}?" if near else ""


def shown(name: str) -> str:
    """Return the name, or `?` for one that looks like no name: then it may be a value, which no answer repeats."""
    return name if _NAME.fullmatch(name) else "?"


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
