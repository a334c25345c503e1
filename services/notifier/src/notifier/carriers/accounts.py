"""Whose account at a channel's carrier sends for which clinic.

An account is what a carrier knows us by: a login at a mail server, an account at Twilio, a phone number at Meta. Rate,
pause, breaker, slots and callbacks are its own: what one account meets is no other account's matter.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts of one channel.

    Attributes:
        rest: The account of every clinic that has none of its own: the installation's.
        own: Clinic → its account, where that is another one.
    """

    rest: str
    own: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def made_of(cls, rest: str, clinics: Iterable[tuple[str, str]]) -> "Accounts":
        """Return them from the installation's account and each clinic's, which may be the same one."""
        return cls(rest, {clinic_id: account for clinic_id, account in clinics if account != rest})

    def of(self, clinic_id: str | None) -> str:
        """Return the account that sends for a clinic; of a message whose clinic is not known yet the rest's."""
        return self.own.get(clinic_id, self.rest) if clinic_id else self.rest

    @property
    def every(self) -> tuple[str, ...]:
        """Each account once, the installation's first."""
        return (self.rest, *dict.fromkeys(self.own.values()))
