"""Bodies of the routes of clearances, kinds and clearance policies."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field, StrictBool, StrictInt, StrictStr

from booking.clearances.domain.clearance import GiveClearance, SignedBy
from booking.clearances.domain.kinds import Kind, Shape, State, slug
from booking.clearances.domain.policy import LONGEST_DAYS, MOST_NOTICES, MOST_REQUIREMENTS, Mode, Requirement, Wanted
from booking.door.bodies import Body, Id, Order, Text, naming_unread, read, unknown_fields
from booking.values import contacts, texts
from booking.values.identity import Identity
from booking.values.refusals import Refused
from booking.values.times import instant

LONGEST_HOW = 300
"""Characters of what a patient has to do: it goes into a message."""

CONSENT: dict[str, Any] = {
    "event_id": "c-1", "kind": "consent", "state": "cleared", "form": "mri-contrast", "form_version": "2027-01",
    "signed_at": "2027-03-11T10:05:00Z", "signed_by": "patient",
}  # fmt: skip
PAID: dict[str, Any] = {
    "event_id": "p-1", "kind": "financial", "state": "cleared", "amount_minor": 12500, "currency": "GBP",
    "reference": "receipt 4711", "payer_class": "self-pay", "by": "front desk",
}  # fmt: skip
WITHDRAWN: dict[str, Any] = {"event_id": "c-2", "kind": "consent", "form": "mri-contrast", "state": "withdrawn"}

POLICY: dict[str, Any] = {
    "mode": "enforce",
    "requires": [
        {"kind": "consent", "form": "mri-contrast", "versions": ["2027-01"], "link": "https://forms.example.org/mri"},
        {"kind": "financial", "payer_classes": ["self-pay", "private"]},
    ],
    "notify_days": [7, 2],
}
KIND: dict[str, Any] = {
    "shape": "plain", "title": "Allergy test", "how": "Bring the result of your allergy test.",
    "link": "https://clinic.example.org/allergy",
}  # fmt: skip


class ClearanceBody(Body):
    """One word about one clearance of a visit, whole."""

    event_id: Id | None = Field(default=None, description="Or the header Idempotency-Key.")
    kind: Text = Field(description="The name of a kind: `GET /v1/clearance-kinds`.")
    state: State
    patient: Id | None = Field(default=None, description="Whose it is, by the source's id or ours: checked.")
    form: Id | None = Field(default=None, description="Of a consent.")
    form_version: Id | None = None
    signed_at: StrictStr | None = Field(default=None, description="With offset. A consent that is cleared has it.")
    signed_by: SignedBy | None = Field(default=None, description="The same.")
    withdrawn_at: StrictStr | None = Field(default=None, description="With offset; left out: as it was said.")
    amount_minor: StrictInt | None = Field(default=None, description="In the currency's smallest unit: 1250 is £12.50.")
    currency: StrictStr | None = Field(default=None, description="ISO 4217.")
    reference: Id | None = Field(default=None, description="A receipt, an authorisation.")
    payer_class: StrictStr | None = Field(default=None, description="Who pays: a to z, 0 to 9 and hyphens.")
    expires_at: StrictStr | None = Field(default=None, description="With offset; from then on it clears nothing.")
    reason: Text | None = Field(default=None, description="What is waived needs one.")
    said_at: StrictStr | None = Field(
        default=None, description="With offset: since when it is so by the sender's clock. Older words are `stale`."
    )
    by: Text | None = Field(default=None, description="Who says so, kept with it.")


class RequirementBody(Order):
    """One thing that has to be cleared before check-in."""

    kind: Text
    form: Id | None = Field(default=None, description="Of a consent; left out: any.")
    versions: list[Id] = Field(default=[], max_length=20, description="Versions of the form that count; none: any.")
    payer_classes: list[StrictStr] = Field(
        default=[], max_length=20, description="Of what is paid: who is asked for it; none: everybody."
    )
    how: StrictStr | None = Field(default=None, description="What the patient has to do; left out: as the kind says.")
    link: StrictStr | None = Field(default=None, description="Where: https; left out: as the kind says.")


class ClearancePolicyBody(Order):
    """What is required before check-in, whole. Nothing at all: every visit is cleared."""

    service_type: Text | None = Field(default=None, description="Left out: the clinic's policy. Or `?service_type=`.")
    mode: Mode = Field(description="`enforce`: a check-in of a visit that lacks something is refused.")
    requires: list[RequirementBody] = Field(description=f"At most {MOST_REQUIREMENTS}.")
    notify_days: list[StrictInt] = Field(
        default=[],
        description=f"Days before the visit to tell what lacks: at most {MOST_NOTICES}, 1 to {LONGEST_DAYS}.",
    )

    @property
    def wanted(self) -> Wanted:
        """What is wanted, its texts read.

        Raises:
            Refused: BAD_SLUG, BAD_URL, or a text is not acceptable.
        """
        requires = tuple(_requirement(one, f"requires.{number}.") for number, one in enumerate(self.requires))
        return Wanted(self.mode, requires, tuple(self.notify_days))


class ClearanceTrialBody(ClearancePolicyBody):
    """A policy to try, or one's own to give up."""

    mode: Mode = Mode.ENFORCE
    requires: list[RequirementBody] = Field(default=[], description=f"At most {MOST_REQUIREMENTS}.")
    unset: StrictBool = Field(default=False, description="One's own policy is given up; without `requires`.")


class KindBody(Order):
    """A kind of clearance, as a clinic has it."""

    shape: Shape = Field(description="Which fields it has; it stays.")
    title: Text = Field(description="What patients and staff call it.")
    how: StrictStr | None = Field(default=None, description="What the patient has to do, in a sentence.")
    link: StrictStr | None = Field(default=None, description="Where he can do it: https.")

    def kind(self, clinic_id: str, name: str, set_by: str, now: datetime) -> Kind:
        """Return the kind.

        Raises:
            Refused: BAD_SLUG, BAD_URL, or a text is not acceptable.
        """
        title = texts.name(self.title, "title")
        told = (_how(self.how, "how"), _link(self.link, "link"))
        return Kind(clinic_id, slug(name, "kind"), self.shape, title, *told, set_by, now)


_TIMES = ("signed_at", "withdrawn_at", "expires_at", "said_at")
_IDS = ("patient", "form", "form_version", "reference")


def command_of(
    value: Any, client: str, visit: UUID | Identity, body_sha256: bytes, key: str | None = None
) -> GiveClearance:
    """Return the command of a JSON value.

    Args:
        key: Of an event that has none in its body.

    Raises:
        Refused: As `read`; MISSING_FIELD without a key; BAD_TIME, NAIVE_TIME, TIME_OUT_OF_RANGE, BAD_SLUG, PADDED_ID.
    """
    body = read(ClearanceBody, value)
    with naming_unread(ClearanceBody, value):
        return _command(body, value, client, visit, body_sha256, key)


def _command(
    body: ClearanceBody, value: Any, client: str, visit: UUID | Identity, body_sha256: bytes, key: str | None
) -> GiveClearance:
    given = body.event_id or key
    if given is None:
        raise Refused("MISSING_FIELD", "give an event_id, or the header Idempotency-Key", "event_id")
    written = {name: one for name in (*_TIMES, *_IDS) if (one := getattr(body, name)) is not None}
    details: dict[str, Any] = {
        name: instant(one, None, name) if name in _TIMES else texts.identifier(one, name)
        for name, one in written.items()
    }
    return GiveClearance(
        client=client,
        key=texts.identifier(given, "event_id"),
        body_sha256=body_sha256,
        visit=visit,
        kind=slug(body.kind, "kind"),
        state=body.state,
        signed_by=body.signed_by,
        amount_minor=body.amount_minor,
        currency=body.currency,
        payer_class=None if body.payer_class is None else slug(body.payer_class, "payer_class"),
        reason=None if body.reason is None else texts.name(body.reason, "reason"),
        said_by=None if body.by is None else texts.name(body.by, "by"),
        warnings=tuple(unknown_fields(ClearanceBody, value)),
        **details,
    )


def _requirement(one: RequirementBody, above: str) -> Requirement:
    return Requirement(
        slug(one.kind, f"{above}kind"),
        None if one.form is None else texts.identifier(one.form, f"{above}form"),
        tuple(dict.fromkeys(texts.identifier(version, f"{above}versions") for version in one.versions)),
        tuple(dict.fromkeys(slug(payers, f"{above}payer_classes") for payers in one.payer_classes)),
        _how(one.how, f"{above}how"),
        _link(one.link, f"{above}link"),
    )


def _how(written: str | None, place: str) -> str | None:
    return None if written is None else texts.name(written, place, LONGEST_HOW)


def _link(written: str | None, place: str) -> str | None:
    return None if written is None else contacts.web_address(texts.name(written, place, contacts.LONGEST_URL), place)
