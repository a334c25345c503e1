"""What `POST /v1/sources/{source}/map` answers."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field

from booking.appointments.domain.state import AppointmentState
from booking.door.bodies import RefusedItem, WarningView, refused_members, views
from booking.formats.maps.dry_run import Becomes, Follows
from booking.formats.maps.fields import MASKED, Kind, Said, Shown, hidden
from booking.formats.maps.knobs import is_said
from booking.profiles.domain import Profile
from booking.values.refusals import Refused
from booking.values.warned import Warned
from schemas.appointments import Status
from schemas.reminders import Reason


class Outcome(StrEnum):
    """What would become of a message."""

    APPLIED = "applied"
    REPEAT = "repeat"
    STALE = "stale"
    TOMBSTONE = "tombstone"
    TOLD = "told"
    IGNORED = "ignored"
    REFUSED = "refused"


class SetBy(StrEnum):
    """Whether a knob was given by the source's profile."""

    PROFILE = "profile"
    DEFAULT = "default"


class OriginView(BaseModel):
    """Where a value was found."""

    place: str = Field(description="In the input, as a path; empty: it stands nowhere in it.", examples=["SCH-11.4"])
    knob: str | None = Field(
        description="The key of the profile by which it was found there; null: none decides.",
        examples=["hl7v2.times.start"],
    )
    set_by: SetBy | None = Field(description="Whether that key was given, or is as it is where nobody says.")
    rule: str = Field(description="How it became what it is, in words; may be empty.")


class FieldView(BaseModel):
    """A field of the command that the message stands for."""

    field: str = Field(description="As commands have it; `person.…`: of its patient.", examples=["starts_at"])
    kind: Kind = Field(description="What it holds; the first six are shown by their shape unless values are asked.")
    said: Said = Field(description="What the message says of it; one of which it says nothing is not in the list.")
    values: list[str] = Field(
        description="Best first; of what has several names all of them. By their shape (`Xxxx 999`, `NHS|999`), "
        "or as they are.",
        examples=[["2027-03-12T10:00:00Z"]],
    )
    origins: list[OriginView] = Field(description="Where they were found.")


class MappedVisit(BaseModel):
    """A visit as it is held, or as it would be."""

    version: int
    status: Status
    starts_at: datetime | None = Field(description="null: it has none.")
    clinic: str | None = Field(description="The clinic's code; null: at none yet.")


class ReminderView(BaseModel):
    """A reminder of the visit, and what would become of it."""

    rule: str = Field(description="As the clinic's policy has it.", examples=["1d"])
    due: datetime = Field(description="When it leaves, or would have left.")
    becomes: Becomes = Field(description="`never`: it is planned and cancelled at once, for `reason`.")
    reason: Reason | None = Field(description="Why it does not leave; null: it leaves.")


class MappedMessage(BaseModel):
    """One message explained."""

    number: int = Field(ge=1, description="Of the messages in the body, from 1.")
    event_id: str | None = Field(description="Which event it is; null: nothing says so.")
    outcome: Outcome = Field(
        description="What it would be answered. `told`: it is of a patient alone, and would register, change or "
        "merge him; `ignored`: taken, and nothing is to be done."
    )
    refusal: RefusedItem | None = Field(description="Why it would be refused; null: it would be taken.")
    fields: list[FieldView] = Field(description="What it says, and where that came from.")
    before: MappedVisit | None = Field(description="The visit as it is held; null: nobody knows it.")
    after: MappedVisit | None = Field(description="The visit as it would be held; null: it would not change.")
    reminders: list[ReminderView] = Field(description="Of the visit, soonest first; those that left are not in it.")
    flags: list[str] = Field(description="What would be put on the staff's work list of visits.")
    warnings: list[WarningView] = Field(description="What was dropped or doubted, and why.")


class MapView(BaseModel):
    """A body explained. Nothing of it is kept, and nothing is sent."""

    source: str
    format: str = Field(description="The media type by which it was read.", examples=["application/hl7-v2"])
    profile_version: int = Field(description="Of the source's profile; 0: all defaults.")
    refused: int = Field(description="How many of its messages would be refused.")
    messages: list[MappedMessage] = Field(description="In the order of the body.")
    warnings: list[WarningView] = Field(description="What is said of what is around the messages.")


def field_views(fields: Sequence[Shown], profile: Profile, *, values: bool) -> list[FieldView]:
    """Return fields as they are answered.

    Args:
        values: Whether they are shown as they are; else what may say who somebody is by its shape.
    """
    return [
        FieldView(
            field=one.field,
            kind=one.kind,
            said=one.said,
            values=[text if values or one.kind not in MASKED else hidden(one.kind, text) for text in one.values],
            origins=[
                OriginView(place=o.place, knob=o.knob or None, set_by=_set_by(profile, o.knob), rule=o.rule)
                for o in one.origins
            ],
        )
        for one in fields
    ]


def _set_by(profile: Profile, knob: str) -> SetBy | None:
    if not knob:
        return None
    return SetBy.PROFILE if is_said(profile, knob) else SetBy.DEFAULT


def message(
    number: int,
    event_id: str | None,
    outcome: Outcome,
    fields: list[FieldView],
    refusal: Refused | None = None,
    warnings: Sequence[Warned] = (),
    follows: Follows | None = None,
) -> MappedMessage:
    """Return one message as it is answered."""
    return MappedMessage(
        number=number,
        event_id=event_id,
        outcome=outcome,
        refusal=None if refusal is None else RefusedItem(**refused_members(refusal)),
        fields=fields,
        before=_visit(follows.before) if follows else None,
        after=_visit(follows.after) if follows else None,
        reminders=[ReminderView(**one._asdict()) for one in follows.reminders] if follows else [],
        flags=list(follows.flags) if follows else [],
        warnings=views(warnings),
    )


def _visit(state: AppointmentState | None) -> MappedVisit | None:
    if state is None:
        return None
    return MappedVisit(version=state.version, status=state.status, starts_at=state.starts_at, clinic=state.clinic_id)
