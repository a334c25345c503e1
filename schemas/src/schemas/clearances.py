"""The topic `clearances`, owned by booking: what clears a visit for its check-in, and what does not (R34)."""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from schemas.model import ClinicId, Contract, Instant, Version


class ClearanceState(StrEnum):
    """What became of it. The visit is cleared by `cleared` and `waived`."""

    PENDING = "pending"
    CLEARED = "cleared"
    REFUSED = "refused"
    WAIVED = "waived"
    WITHDRAWN = "withdrawn"


class ClearanceChanged(Contract):
    """One clearance of a visit as it holds now; no amounts, no references, no reasons, no names.

    Attributes:
        form: Of a consent; None: none named, or another kind.
        version: Counts what changed of the visit's clearances, over all kinds.
        valid_until: Until when it clears the visit; None: for good, or it does not.
        said_at: When it became so by the sender's clock, or came.
        changed_by: The client that said so.
        is_missing: Whether the visit, when it begins, lacks anything that its clinic requires now.
    """

    appointment_id: UUID
    patient_id: UUID
    clinic_id: ClinicId
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
    form: str | None = None
    form_version: str | None = None
    state: ClearanceState
    version: Version
    valid_until: Instant | None = None
    said_at: Instant
    changed_by: str = Field(min_length=1)
    is_missing: bool


CLEARANCE_CHANGED: Literal["clearance.changed.v1"] = "clearance.changed.v1"
