"""Currencies of ISO 4217."""

from functools import lru_cache

from babel.core import get_global

_ENDED = frozenset({"BGN"})
"""Of the past, which the CLDR of Babel 2.18 does not know: Bulgaria has the euro since 2026."""


@lru_cache(1)
def currencies() -> frozenset[str]:
    """Return those that are legal tender somewhere today, by CLDR: `GBP`."""
    territories = get_global("territory_currencies").values()
    tender = (code for used in territories for code, _, until, is_tender in used if until is None and is_tender)
    return frozenset(tender) - _ENDED
