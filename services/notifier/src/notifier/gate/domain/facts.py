"""Facts read after the locks: preferences, opt-outs, earlier messages, and what the clinic has chosen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from notifier.gate.domain.told import Said
from notifier.gate.domain.visit import Preferences
from schemas.appointments import SendWindow
from schemas.notifications import Channel, Kind


class GatedMessage(Protocol):
    """What is read of a message in order to find what counts for it."""

    @property
    def notification_id(self) -> UUID:
        """Its id."""

    @property
    def kind(self) -> Kind:
        """What it says."""

    @property
    def recipient(self) -> str:
        """The patient, or a provider."""

    @property
    def appointment_id(self) -> UUID | None:
        """The visit it is about; None for a provider's list of the day."""

    @property
    def recipient_id(self) -> UUID | None:
        """Which patient or provider; None: whoever is the visit's."""

    @property
    def replaces(self) -> UUID | None:
        """The visit whose place its visit takes (D37)."""


class SendingModeName(StrEnum):
    """What may leave.

    `hold`: nothing is claimed; messages wait, and those whose deadline passes are skipped as HELD.
    `allow-list`: only to the listed addresses, all else is skipped as HELD. `live`: everything.
    In-app notices have no carrier and are not held.
    """

    HOLD = "hold"
    ALLOW_LIST = "allow-list"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Told:
    """What the recipient has been told about this visit by other messages than the one at the gate.

    Attributes:
        today: Messages to a patient accepted, or perhaps accepted, on the clinic's local day of now (D18).
        said: What he was last told, or may have been (D58); None: nothing.
        replaced: What he was told of another visit, which stands no more, and whose place this one takes (D37).
        awaited: A message that is under way tells him the same: news waits for its answer.
    """

    today: int = 0
    said: Said | None = None
    replaced: Said | None = None
    awaited: bool = False


@dataclass(frozen=True, slots=True)
class ClinicSending:
    """What a clinic has chosen about sending; the defaults if it has chosen nothing.

    Attributes:
        mode: The clinic's mode, else the one somebody set for the installation, else None: the setting counts.
        allowed: The clinic's own allow-list, beside the installation's.
        double_over_miss: After an unknown outcome the next channel is tried (D32).
        channel_windows: Hours of single channels, narrower than the clinic's own (D16).
        replies: Messages say how to confirm and cancel by reply (B11).
    """

    mode: SendingModeName | None = None
    allowed: frozenset[str] = frozenset()
    double_over_miss: bool = False
    no_show_follow_up: bool = False
    channel_windows: Mapping[Channel, SendWindow] = field(default_factory=dict)
    replies: bool = False


NOTHING_CHOSEN = ClinicSending()


@dataclass(frozen=True, slots=True)
class Lack:
    """Something without which a visit is not cleared, as booking's policy of the clinic asks for it (R34).

    Attributes:
        kind: Its name there, such as `consent`.
        title: What the clinic calls it; empty if it goes by the name that everybody has for the kind.
        how: How to get it, in the clinic's words; empty if nothing is said.
        link: Where to do it, https; empty if there is no such page.
    """

    kind: str
    title: str = ""
    how: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class GateFacts:
    """All the facts that count for one message, besides its visit.

    Attributes:
        preferences: What the patient has said about channels; None if nothing.
        opted_out: Channels on which the address wants no message of this category (D36).
        code: With it a patient's answer names the visit at this time (B11).
        lacks: What the visit lacks to be checked in; read for notices of it alone.
    """

    preferences: Preferences | None = None
    opted_out: frozenset[Channel] = frozenset()
    told: Told = Told()
    clinic: ClinicSending = NOTHING_CHOSEN
    preference_version: int | None = None
    code: str = ""
    lacks: tuple[Lack, ...] = ()


NOTHING_KNOWN = GateFacts()
"""Of a message that needs none of it: a provider's notice."""
