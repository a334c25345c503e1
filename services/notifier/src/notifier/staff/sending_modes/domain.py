"""What an installation or a clinic may choose about sending, and whether a choice makes sense."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import time

from notifier.gate.domain.facts import SendingModeName
from notifier.values.addresses import is_address, normal
from schemas.notifications import Channel

LONGEST_ALLOW_LIST = 1_000
OUTSIDE = frozenset({Channel.EMAIL, Channel.SMS, Channel.WHATSAPP})
"""Channels with a carrier: an in-app notice has no hours."""


class BadChoice(ValueError):
    """A choice that makes no sense. `place` says where, `code` which, never the value."""

    def __init__(self, code: str, place: str, message: str) -> None:
        super().__init__(message)
        self.code, self.place, self.message = code, place, message


@dataclass(frozen=True, slots=True)
class ClinicChoice:
    """Everything that a clinic chooses about sending.

    Attributes:
        mode: None: the installation's.
        allow_list: Mobiles in E.164 and email addresses that mode `allow-list` lets through here too.
        double_over_miss: After an unknown outcome the next channel is tried (D32).
        replies: Reminders say how to confirm and cancel by reply (B11).
        channel_windows: Hours of single channels, inside the clinic's own (D16).
    """

    mode: SendingModeName | None = None
    allow_list: tuple[str, ...] = ()
    double_over_miss: bool = False
    no_show_follow_up: bool = False
    replies: bool = False
    channel_windows: Mapping[Channel, tuple[time, time]] = field(default_factory=dict)


def allow_list(entries: Iterable[str]) -> tuple[str, ...]:
    """Return the list in normal form, sorted, each entry once.

    Raises:
        BadChoice: BAD_ADDRESS, TOO_MANY.
    """
    kept = sorted({normal(entry) for entry in entries})
    if len(kept) > LONGEST_ALLOW_LIST:
        raise BadChoice("TOO_MANY", "allow_list", f"at most {LONGEST_ALLOW_LIST} addresses")
    for place, entry in enumerate(kept):
        if not is_address(entry):
            raise BadChoice("BAD_ADDRESS", f"allow_list.{place}", "a mobile in E.164 (+447700900123) or an email")
    return tuple(kept)


def windows(given: Mapping[str, tuple[str, str]]) -> dict[Channel, tuple[time, time]]:
    """Return the hours of each channel.

    Args:
        given: Channel → (opens, closes), each `HH:MM` on the clinic's wall.

    Raises:
        BadChoice: BAD_CHANNEL, BAD_TIME, BAD_WINDOW.
    """
    kept: dict[Channel, tuple[time, time]] = {}
    for name, (opens, closes) in given.items():
        place = f"channel_windows.{name}"
        if name not in {channel.value for channel in OUTSIDE}:
            raise BadChoice("BAD_CHANNEL", "channel_windows", "one of email, sms, whatsapp")
        hours = _time(opens, place), _time(closes, place)
        if hours[0] >= hours[1]:
            raise BadChoice("BAD_WINDOW", place, "it closes before it opens")
        kept[Channel(name)] = hours
    return kept


def _time(written: str, place: str) -> time:
    try:
        found = time.fromisoformat(written)
    except ValueError:
        raise BadChoice("BAD_TIME", place, "a time of day such as 09:00") from None
    if found.tzinfo is not None or found.second or found.microsecond:
        raise BadChoice("BAD_TIME", place, "a time of day at the clinic, in whole minutes")
    return found
