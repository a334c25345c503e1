"""A clinic's years before it came here: the visits of a file, of which nobody is told (D43)."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from itertools import product
from zoneinfo import ZoneInfo

from stack.demo.calendar import local
from stack.demo.changes import Change
from stack.demo.people import Clinic

WHOM, TIMES = range(60), range(2)
"""Which patients had been there before, and how often each."""

BACK, APART = timedelta(weeks=5), timedelta(weeks=26)

ENDED = ("fulfilled", "fulfilled", "cancelled", "noshow", "booked")
"""How the visits ended, in turn; whoever exported the file left some of them as they had been booked."""

WORDS = {"fulfilled": "来院済", "cancelled": "取消", "noshow": "無断欠席", "booked": "予約"}
"""Statuses as the exporting system writes them."""

COLUMNS = ("予約番号", "患者番号", "予約日時", "所要分", "状態", "担当医", "診療科", "施設")
DATE_FORMAT = "%Y/%m/%d %H:%M"


def past_visits(clinic: Clinic, bookings: Iterable[Change], at: datetime) -> Iterator[Change]:
    """Yield each of these patients' visits of years past, as they ended.

    Args:
        bookings: One of each patient, in order: who, with whom and at which time of the day.
        at: When the file is imported.
    """
    for (index, booking), nth in product(enumerate(bookings), TIMES):
        day = booking.start.astimezone(ZoneInfo(clinic.zone))
        past = day.date() - BACK - nth * APART - timedelta(weeks=index % 20)
        name = f"{booking.appointment}-PAST-{nth + 1}"
        yield replace(
            booking,
            at=at,
            event_id=f"{name}:imported",
            appointment=name,
            status=ENDED[(index + nth) % len(ENDED)],
            start=local(past, day.time(), clinic.zone),
            imported=True,
        )


def as_csv(changes: Iterable[Change]) -> str:
    """Return the file that another system would have written of these visits, in its own words and walls."""
    lines = StringIO()
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in changes:
        wall = one.start.astimezone(ZoneInfo(one.zone))
        minutes = one.length // timedelta(minutes=1)
        when = f"{wall:{DATE_FORMAT}}"
        who = (one.provider, one.service, one.clinic)
        writer.writerow((one.appointment, one.patient, when, minutes, WORDS[one.status], *who))
    return lines.getvalue()
