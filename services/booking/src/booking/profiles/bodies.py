"""The bodies of a source's profile: what a request says, and what is answered."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field, RootModel, ValidationError

from booking.door.bodies import Order, Text, WarningView, views
from booking.profiles.domain import DEFAULT, Profile
from booking.profiles.handle import Given
from booking.profiles.kept import read_kept
from booking.profiles.version import Version
from booking.profiles.wrong import refusals
from booking.values import texts
from booking.values.refusals import Refused

EXAMPLE: dict[str, Any] = {
    "profile": {
        "zone": "Europe/London",
        "country": "GB",
        "hl7v2": {
            "match": {"sending_application": ["iPM"]},
            "patient": {"authorities": ["NHS", "RNJ"]},
            "clinics": {"RNJ BARTS": "EYE"},
        },
    },
    "reason": "the hospital's scheduling is connected",
}


class ProfileBody(Order):
    """A source's profile, whole, and why it is given."""

    profile: Profile = Field(description="What is left out has its default; `{}` is the default profile.")
    reason: Text | None = Field(default=None, description="Why it changes; kept with the version.")


class ProfileVersionView(BaseModel):
    """A profile that a source was given, when, by whose word and why."""

    version: int = Field(description="Of this source's, from 1; 0: none was ever given.", examples=[3])
    profile: dict[str, Any] = Field(description="What was said; what is not in it has its default.")
    sha256: str | None = Field(description="Of the profile as canonical JSON, in hexadecimal digits; null: none given.")
    applied_at: datetime | None = Field(description="From when on it holds.", examples=["2027-03-01T09:00:00Z"])
    applied_by: str | None = Field(description="By whose word: a client, or `operator`.", examples=["operator"])
    reason: str | None = Field(description="Why, if that was said.", examples=["times are UTC since the upgrade"])


class ProfileView(ProfileVersionView):
    """The profile of a source that holds."""

    source: str = Field(description="Whose.", examples=["local"])
    in_force: Profile = Field(description="The whole, with the default of what was not said.")


class ProfileSchema(RootModel[dict[str, Any]]):
    """A JSON Schema (2020-12)."""


type Held = str | bool | int | list[str | int] | None
"""What a key holds: one value, a list, or nothing."""


class KeyChangeView(BaseModel):
    """One key that changes."""

    key: str = Field(description="Its path in the profile.", examples=["hl7v2.times.start"])
    before: Held = Field(description="What holds; null: nothing.")
    after: Held = Field(description="What would hold; null: nothing.")
    means: str = Field(description="What that means for what comes; what was taken before stays as it was read.")


class ProfileAnswer(ProfileView):
    """What holds after the request, and what it changes or, in a dry run, would change."""

    changed: bool = Field(
        description="Whether a version was written: not in a dry run, and not where it was so already."
    )
    dry_run: bool = Field(description="Whether it was only tried.")
    changes: list[KeyChangeView] = Field(description="Key by key, in the order of the keys of a profile.")
    warnings: list[WarningView] = Field(description="What to look at, though it is no mistake of the profile.")


class ProfileVersionPage(BaseModel):
    """Versions, newest first; `next_before` is the `before` of the next page, null on the last."""

    items: list[ProfileVersionView] = Field(description="Each profile that was ever given, and who gave it.")
    next_before: int | None = Field(description="Null on the last page.", examples=[None])


def read(value: Any) -> tuple[Profile, str | None]:
    """Return the profile in a body's JSON, and why it is given.

    Raises:
        Refused: Of the first place that is wrong; `also` holds those of the others.
    """
    try:
        body = ProfileBody.model_validate(value)
    except ValidationError as error:
        first, *others = refusals(error, value, ProfileBody)
        raise Refused(first.code, first.message, first.place, others) from None
    return body.profile, None if body.reason is None else texts.name(body.reason, "reason")


def version_view(given: Version) -> ProfileVersionView:
    """Return a version as it is answered."""
    return ProfileVersionView(**_version(given))


def view(source: str, newest: Version | None) -> ProfileView:
    """Return the profile that holds as it is answered; None: none was ever given."""
    return ProfileView(**_version(newest), source=source, in_force=read_kept(newest.profile)[0] if newest else DEFAULT)


def answer(source: str, given: Given, *, dry_run: bool) -> ProfileAnswer:
    """Return what holds after a request, and what it changed or would change."""
    held, listed = dict(view(source, given.newest)), [KeyChangeView(**one._asdict()) for one in given.changes]
    said = {"changed": given.changed, "dry_run": dry_run, "changes": listed, "warnings": views(given.warnings)}
    return ProfileAnswer(**held, **said)


def _version(given: Version | None) -> dict[str, Any]:
    if given is None:
        nothing = dict.fromkeys(("sha256", "applied_at", "applied_by", "reason"))
        return {"version": 0, "profile": {}, **nothing}
    return {**given._asdict(), "sha256": given.sha256.hex()}
