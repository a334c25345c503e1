"""When a channel is open: the clinic's hours, and a channel's narrower ones inside them (D16).

| kind | email | SMS, WhatsApp |
|---|---|---|
| reminder, today, no-show, clearance-missing | the hours | the hours |
| confirmation, moved, cancelled | any hour | the hours |

Hours are the clinic's wall clock. They include their first minute and not their last.
"""

from datetime import datetime, timedelta

from notifier.values.kinds import KINDS
from schemas.appointments import SendWindow
from schemas.notifications import Channel, Kind
from schemas.zones import zone_of

DAYS_AHEAD = 3
"""Enough days to look at for the next opening; a day without the local hour (a spring gap) moves to the next."""


def needs_window(kind: Kind, channel: Channel) -> bool:
    """Say whether this kind is bound to the hours on this channel."""
    return channel is not Channel.IN_APP and not (KINDS[kind].is_news and channel is Channel.EMAIL)


def narrowed(clinic: SendWindow, channel: SendWindow | None) -> SendWindow:
    """Return the hours that both leave open; closes before it opens if there are none."""
    if channel is None:
        return clinic
    return SendWindow(opens=max(clinic.opens, channel.opens), closes=min(clinic.closes, channel.closes))


def closes_at(window: SendWindow, zone: str, now: datetime) -> datetime:
    """Return the instant at which a window that is open closes."""
    there = zone_of(zone)
    return datetime.combine(now.astimezone(there).date(), window.closes, there).astimezone(now.tzinfo)


def opens_at(window: SendWindow, zone: str, now: datetime) -> datetime | None:
    """Return `now` if the window is open, else the instant of its next opening, or None if it never opens."""
    if window.closes <= window.opens:
        return None
    there = zone_of(zone)
    local = now.astimezone(there)
    if window.opens <= local.time() < window.closes:
        return now
    for ahead in range(DAYS_AHEAD):
        day = local.date() + timedelta(days=ahead)
        opening = datetime.combine(day, window.opens, there).astimezone(now.tzinfo)
        if opening > now:
            return opening
    return None
