"""A clinic as booking holds it, with the policies that its appointments carry."""

from dataclasses import dataclass, field
from datetime import datetime, time

from booking.clinics.domain.own_policy import DEFAULT_HOURS, OwnPolicy
from schemas.appointments import ReminderPolicy, ReminderRule, SendWindow
from schemas.wire import encode

OPENS, CLOSES = time(7), time(21)
"""Default window for messages to patients (D16)."""


@dataclass(frozen=True, slots=True)
class ClinicState:
    """A clinic with the policies that its appointments carry.

    Attributes:
        country: ISO 3166 code by which national phone numbers of its patients are read; None if nobody said.
        policies: Those that somebody set, of the clinic and of service types, given up or not; the default where there
            is none.
    """

    clinic_id: str
    version: int
    name: str
    zone: str
    country: str | None
    created_at: datetime
    languages: tuple[str, ...] = ("en",)
    sensitive: bool = False
    window_opens: time = OPENS
    window_closes: time = CLOSES
    policies: tuple[OwnPolicy, ...] = ()
    policy: ReminderPolicy = field(init=False, compare=False, repr=False)
    _in_force: dict[str | None, ReminderPolicy] = field(init=False, compare=False, repr=False)
    _stamps: dict[str | None, bytes] = field(init=False, compare=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        window = SendWindow(opens=self.window_opens, closes=self.window_closes)
        in_force: dict[str | None, ReminderPolicy] = {
            own.service_type: ReminderPolicy(policy_id=own.policy_id, rules=own.rules, window=window)
            for own in self.policies
            if own.given_up_at is None
        }
        if None not in in_force:
            in_force[None] = default_policy(self, window)
        clinics = in_force[None]
        for given_up in (own for own in self.policies if own.given_up_at is not None):
            rules = given_up.instead(clinics.rules)
            in_force[given_up.service_type] = clinics.model_copy(update={"rules": rules})
        object.__setattr__(self, "_in_force", in_force)
        object.__setattr__(self, "policy", in_force[None])

    @property
    def own_services(self) -> tuple[str, ...]:
        """The service types that have rules of their own."""
        return tuple(own.service_type for own in self.policies if own.service_type and own.given_up_at is None)

    def policy_for(self, service_type: str | None) -> ReminderPolicy:
        """Return the policy in force for a service type: its own, else the clinic's (D13)."""
        return self._in_force.get(service_type, self.policy)

    def stamp(self, service_type: str | None) -> bytes:
        """Return that policy as every snapshot carries it: JSON, made once for as long as this clinic is held."""
        key = service_type if service_type in self._in_force else None
        if key not in self._stamps:
            self._stamps[key] = encode(self._in_force[key])
        return self._stamps[key]


def default_policy(clinic: ClinicState, window: SendWindow) -> ReminderPolicy:
    """Return the reminder rules of a clinic that set none: 24 hours and 2 hours before (R10, D13)."""
    rules = tuple(
        ReminderRule(slug=f"{hours}h", lead_hours=hours, in_force_since=clinic.created_at) for hours in DEFAULT_HOURS
    )
    return ReminderPolicy(policy_id=f"{clinic.clinic_id}/default", rules=rules, window=window)
