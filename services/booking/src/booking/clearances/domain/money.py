"""Currencies of ISO 4217."""

from functools import lru_cache

from babel.core import get_global


@lru_cache(1)
def currencies() -> frozenset[str]:
    """Return those that are legal tender somewhere today, by CLDR: `GBP`."""
    territories = get_global("territory_currencies").values()
    return frozenset(code for used in territories for code, _, until, is_tender in used if until is None and is_tender)
