"""Whom a booking names and nobody made known yet: no message goes to him, and the answer says so while it is so."""

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from booking.values.identity import Identity, PatientKey
from booking.values.warned import UNKNOWN_PATIENT, UNKNOWN_PROVIDER, Warned

_PLACES = {UNKNOWN_PATIENT: "appointment.patient", UNKNOWN_PROVIDER: "appointment.provider"}


class Acquaintances(NamedTuple):
    """Who of those whom a batch may name is known.

    Attributes:
        registered: Patients who are registered.
        entered: Names under which providers are kept whom somebody entered.
        all_register: Whether a booking registers whomever it names (D5).
    """

    registered: Collection[UUID] = ()
    entered: Collection[Identity] = ()
    all_register: bool = False

    def strange(self, patient: PatientKey | None, provider: Identity | None) -> tuple[Warned, ...]:
        """Return a warning of each whom an event names and nobody made known; None: it names nobody."""
        codes = []
        if patient is not None and not self.all_register and patient not in self.registered:
            codes.append(UNKNOWN_PATIENT)
        if provider is not None and provider not in self.entered:
            codes.append(UNKNOWN_PROVIDER)
        return tuple(Warned(code, _PLACES[code]) for code in codes)


NOBODY_KNOWN = Acquaintances()


def still_so(kept: Collection[Warned], now: Collection[Warned]) -> tuple[Warned, ...]:
    """Return the warnings that were kept of an event, without those of whoever became known since."""
    return tuple(warned for warned in kept if is_lasting(warned) or warned in now)


def is_lasting(warned: Warned) -> bool:
    """Say whether a warning holds whoever is made known later."""
    return warned.code not in _PLACES
