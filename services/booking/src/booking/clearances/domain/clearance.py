"""What is said of a visit's clearance, what is held of it, and which of two words counts."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from booking.clearances.domain.kinds import CLEARS, TAKES_BACK, State
from booking.values.identity import Identity
from booking.values.refusals import Refused
from booking.values.warned import FUTURE_TIME, STALE, Warned
from schemas.appointments import Status

type Slot = tuple[str, str]
"""Kind and form, which may be empty: of these a visit holds one clearance."""

CLOCKS_DIFFER_BY = timedelta(minutes=5)
"""How far a sender's clock may run ahead of ours and is still believed."""


class SignedBy(StrEnum):
    """Who signed a consent."""

    PATIENT = "patient"
    GUARDIAN = "guardian"


class ClearanceResult(StrEnum):
    """What became of a word that was taken."""

    APPLIED = "applied"
    REPEAT = "repeat"
    STALE = "stale"


class GiveClearance(NamedTuple):
    """One word about one clearance of one visit.

    Attributes:
        key: The client's idempotency key, or the event's own id.
        body_sha256: Hash of the canonical body: the same key with another body is a conflict.
        visit: The visit, by our id, or by (source, source's id).
        kind: The name of its kind.
        patient: Whose it is, by the source's id or ours; None: it does not say.
        form: The form of a consent.
        amount_minor: In the smallest unit of the currency.
        reference: What the sender calls it: a receipt, an authorisation.
        payer_class: The class of whoever pays, such as `self-pay`.
        reason: Why it is waived, refused or withdrawn.
        said_at: When it became so by the sender's clock; None: as it came.
        said_by: Who says so, a person.
        warnings: What its reader had to drop, or does not know.
    """

    client: str
    key: str
    body_sha256: bytes
    visit: UUID | Identity
    kind: str
    state: State
    patient: str | None = None
    form: str | None = None
    form_version: str | None = None
    signed_at: datetime | None = None
    signed_by: SignedBy | None = None
    withdrawn_at: datetime | None = None
    amount_minor: int | None = None
    currency: str | None = None
    reference: str | None = None
    payer_class: str | None = None
    expires_at: datetime | None = None
    reason: str | None = None
    said_at: datetime | None = None
    said_by: str | None = None
    warnings: tuple[Warned, ...] = ()

    @property
    def spoken_at(self) -> datetime | None:
        """When the first of it was said, signed or taken back; None: it does not tell, and is said as it comes."""
        signed_at = None if self.state in TAKES_BACK else self.signed_at
        return min((one for one in (self.said_at, signed_at, self.withdrawn_at) if one is not None), default=None)


class Clearance(NamedTuple):
    """What is held of one kind and form of a visit.

    Attributes:
        form: Empty: none named.
        version: Of all the visit's clearances, as this one was changed.
        said_at: As the command says; None: it does not.
        recorded_at: When it came.
        patient_id: Whose it is: the visit's patient, as it was said.
    """

    kind: str
    form: str
    version: int
    state: State
    amount_minor: int | None
    currency: str | None
    reference: str | None
    payer_class: str | None
    expires_at: datetime | None
    form_version: str | None
    signed_at: datetime | None
    signed_by: SignedBy | None
    withdrawn_at: datetime | None
    reason: str | None
    said_at: datetime | None
    said_by: str | None
    client: str
    recorded_at: datetime
    patient_id: UUID | None = None

    @property
    def stands_at(self) -> datetime:
        """When it became so, or came, if nobody said."""
        return self.said_at or self.recorded_at

    @property
    def valid_until(self) -> datetime | None:
        """Until when it clears the visit; None: it does not, or for good."""
        return self.expires_at if self.state in CLEARS else None


class Visit(NamedTuple):
    """What a clearance has to know of its visit, under the visit's lock."""

    appointment_id: UUID
    source: str
    status: Status
    clinic_id: str
    patient_id: UUID
    version: int = 1

    @property
    def is_ended(self) -> bool:
        """Whether it was cancelled, or entered in error."""
        return self.status in {Status.CANCELLED, Status.ENTERED_IN_ERROR}

    @property
    def is_over(self) -> bool:
        """Whether nobody is let in to it any more."""
        return self.is_ended or self.status in {Status.FULFILLED, Status.NOSHOW}


class Decision(NamedTuple):
    """What a word comes to: `held` is what holds from now on, of another version only if it was applied."""

    result: ClearanceResult
    held: Clearance
    warnings: tuple[Warned, ...] = ()


def decide(
    held: Mapping[Slot, Clearance], command: GiveClearance, now: datetime, patient_id: UUID | None = None
) -> Decision:
    """Return what a word that may be taken comes to: what was said later counts, of two at once the last to come.

    Args:
        held: All that the visit has; what is of another patient counts as nothing, but in the version.
        command: As `rules.check` let it pass.
        patient_id: Whose the word is, who is kept: the visit's patient, or whose visit it was.

    Raises:
        Refused: MISSING_FIELD: it takes a consent back, and does not say which of several.
    """
    his = _of(held, patient_id)
    slot = slot_of(his, command)
    mine, said_at, warnings = his.get(slot), *_believed(command, now)
    if mine is not None and _is_older(command, said_at, mine):
        return Decision(
            ClearanceResult.STALE, mine, (*warnings, Warned(STALE, "said_at", "something later was said of it"))
        )
    newest = max((one.version for one in held.values()), default=0)
    told = _clearance(command, slot, newest + 1, said_at, now)._replace(patient_id=patient_id)
    if mine is not None and command.state in TAKES_BACK:
        told = _with_what_is_taken_back(told, mine)
    if mine is not None and _content(mine) == _content(told):
        return Decision(ClearanceResult.REPEAT, _moved_on(mine, told), warnings)
    return Decision(ClearanceResult.APPLIED, told, warnings)


def takes_back_his(held: Mapping[Slot, Clearance], command: GiveClearance, patient_id: UUID | None) -> bool:
    """Say whether a word takes back what the visit holds of this patient, be it another's now.

    Raises:
        Refused: As `decide`.
    """
    his = _of(held, patient_id)
    return command.state in TAKES_BACK and slot_of(his, command) in his


def _of(held: Mapping[Slot, Clearance], patient_id: UUID | None) -> dict[Slot, Clearance]:
    return {slot: one for slot, one in held.items() if one.patient_id == patient_id}


def slot_of(held: Mapping[Slot, Clearance], command: GiveClearance) -> Slot:
    """Return kind and form meant: what is taken back without its form is the only one that clears, or that there is.

    Raises:
        Refused: As `decide`.
    """
    forms = {form: one.state for (kind, form), one in held.items() if kind == command.kind}
    if command.form is not None or command.state not in TAKES_BACK or not forms:
        return command.kind, command.form or ""
    meant = [form for form, state in forms.items() if state in CLEARS] or list(forms)
    if len(meant) > 1:
        raise Refused("MISSING_FIELD", "the visit has several forms of this kind: say which", "form")
    return command.kind, meant[0]


def _believed(command: GiveClearance, now: datetime) -> tuple[datetime | None, tuple[Warned, ...]]:
    if command.said_at is None or command.said_at <= now + CLOCKS_DIFFER_BY:
        return command.said_at, command.warnings
    return None, (*command.warnings, Warned(FUTURE_TIME, "said_at"))


def _is_older(command: GiveClearance, said_at: datetime | None, held: Clearance) -> bool:
    """Say whether a word is from before the one held.

    Against an arrival, clocks may differ, but never so that what was taken back is given again.
    """
    if said_at is None:
        return False
    gives_again = held.state in TAKES_BACK and command.state not in TAKES_BACK
    is_exact = held.said_at is not None or gives_again
    return said_at < (held.stands_at if is_exact else held.recorded_at - CLOCKS_DIFFER_BY)


def _moved_on(held: Clearance, told: Clearance) -> Clearance:
    """Return what is held since the same was said again: what was said between the two is older now."""
    if told.stands_at <= held.stands_at:
        return held
    return held._replace(said_at=told.said_at, recorded_at=told.recorded_at)


def _clearance(command: GiveClearance, slot: Slot, version: int, said_at: datetime | None, now: datetime) -> Clearance:
    since = (command.withdrawn_at or said_at or now) if command.state is State.WITHDRAWN else None
    return Clearance(
        *slot,
        version=version,
        state=command.state,
        amount_minor=command.amount_minor,
        currency=command.currency,
        reference=command.reference,
        payer_class=command.payer_class,
        expires_at=command.expires_at,
        form_version=command.form_version,
        signed_at=command.signed_at,
        signed_by=command.signed_by,
        withdrawn_at=since,
        reason=command.reason,
        said_at=said_at,
        said_by=command.said_by,
        client=command.client,
        recorded_at=now,
    )


def _with_what_is_taken_back(told: Clearance, held: Clearance) -> Clearance:
    """Return what takes back: it stands no earlier than what it takes, and a withdrawal keeps what was signed."""
    if told.stands_at < held.stands_at:
        told = told._replace(said_at=held.stands_at)
    if told.state is not State.WITHDRAWN:
        return told
    kept = {name: getattr(told, name) or getattr(held, name) for name in ("form_version", "signed_at", "signed_by")}
    return told._replace(**kept)


_NOT_CONTENT = frozenset({"version", "withdrawn_at", "said_at", "said_by", "client", "recorded_at"})


def _content(held: Clearance) -> dict[str, object]:
    """Return what tells two clearances apart."""
    return {name: value for name, value in held._asdict().items() if name not in _NOT_CONTENT}
