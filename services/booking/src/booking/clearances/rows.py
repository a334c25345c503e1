"""Rows of clearances' tables, and the JSON in them, as the domain has them."""

from collections.abc import Mapping
from typing import Any

from booking.clearances.domain.clearance import Clearance, SignedBy
from booking.clearances.domain.kinds import Kind, Shape, State
from booking.clearances.domain.policy import ClearancePolicy, Mode, Requirement


def requirement_json(one: Requirement) -> dict[str, Any]:
    """Return a requirement as a JSON value; what it does not say is left out."""
    return {name: list(held) if isinstance(held, tuple) else held for name, held in one._asdict().items() if held}


def requirement(held: Mapping[str, Any]) -> Requirement:
    """Return the requirement of a JSON value."""
    told = {**held, **{name: tuple(held.get(name, ())) for name in ("versions", "payer_classes")}}
    return Requirement(**told)


def policy_of(row: Any) -> ClearancePolicy:
    """Return the policy in a row."""
    return ClearancePolicy(
        clinic_id=row["clinic_id"],
        version=row["version"],
        service_type=row["service_type"],
        mode=Mode(row["mode"]),
        requires=tuple(map(requirement, row["requires"])),
        notify_days=tuple(row["notify_days"]),
        set_by=row["set_by"],
        set_at=row["set_at"],
        unset=row["unset"],
    )


def kind_of(row: Any) -> Kind:
    """Return the kind in a row."""
    return Kind(
        row["clinic_id"], row["kind"], Shape(row["shape"]), row["title"], row["how"], row["link"], row["set_by"],
        row["set_at"],
    )  # fmt: skip


def clearance_of(row: Any) -> Clearance:
    """Return the clearance in a row of `clearance` or `clearance_history`."""
    told = {name: row[name] for name in Clearance._fields}
    signed_by = None if row["signed_by"] is None else SignedBy(row["signed_by"])
    return Clearance(**{**told, "state": State(row["state"]), "signed_by": signed_by})
