"""What the demo shows: a live table of stages while it runs, and at the end expected against actual."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stack.demo.by_clinic import FeedRow
from stack.demo.comparison import Row, first_of
from stack.demo.people import BY_MLLP, CLINICS, HARBOR_HIS, MLLP_CLIENT

MOST_LINES = 40
"""Below the closing table."""


def stages(
    now: datetime | None, counts: Mapping[str, int], processes: Mapping[str, Mapping[str, object]]
) -> RenderableType:
    """Return the live table: local times, counts by stage, and the processes."""
    clocks = "   ".join(f"{c.code} {now.astimezone(ZoneInfo(c.zone)):%a %d %b %H:%M %Z}" for c in CLINICS if now)
    left = Table("stage", "count", title="what happened so far", title_justify="left")
    left.columns[1].justify = "right"
    for stage, count in counts.items():
        left.add_row(stage, f"{count:,}")
    right = Table("process", "state", "lag", "outbox", "dead letters", title="processes", title_justify="left")
    for name, status in processes.items():
        cells = (status.get("state"), _lag(status.get("lag")), status.get("outbox_age_s"), status.get("dead_letters"))
        right.add_row(name, *("-" if cell is None else str(cell) for cell in cells))
    return Group(Text(clocks, style="bold"), Columns((left, right), padding=(0, 3)))


def verdict(rows: Sequence[Row], surprises: Sequence[str]) -> Group:
    """Return the closing table, with examples of what does not agree."""
    table = Table(
        "", "expected", "actual", "missing", "extra", "", title="expected against actual", title_justify="left"
    )
    for column in table.columns[1:5]:
        column.justify = "right"
    for row in rows:
        mark = Text("agrees", style="green") if row.agrees else Text("DIFFERS", style="bold red")
        table.add_row(row.what, str(row.expected), str(row.actual), str(row.missing), str(row.extra), mark)
    examples = [example for row in rows for example in row.examples]
    lines = first_of([*examples, *surprises], MOST_LINES, "lines")
    return Group(table, *(Text(line, style="red") for line in lines))


def _lag(lag: object) -> object:
    return sum(lag.values()) if isinstance(lag, dict) else lag


def clinics(rows: Sequence[FeedRow]) -> Table:
    """Return the table of clinics; where something differs, what was expected stands behind what was found."""
    heads = ("clinic", "source format", "visits", "sent", "skipped", "lost", "doubled")
    table = Table(*heads, title="by clinic: messages to patients", title_justify="left")
    for column in table.columns[2:]:
        column.justify = "right"
    for row in rows:
        counts = [_both(*pair) for pair in (row.visits, row.sent, row.skipped)]
        table.add_row(row.feed.clinic, row.feed.format, *counts, str(row.lost), str(row.doubled))
    return table


def _both(expected: int, found: int) -> str:
    return f"{found:,}" if expected == found else f"{found:,} of {expected:,}"


def what_to_try(
    urls: Mapping[str, str], operations_urls: Mapping[str, str], stories: Mapping[str, str], day: date
) -> RenderableType:
    """Return what a reader may open and call while everything keeps running.

    Args:
        day: On which the clinic that speaks HL7 v2 has visits; its own client sees them.
    """
    appointment = next(iter(stories.values()))
    as_harbor = f"ATTEND_CLIENT_KEY=$(.venv/bin/attend clients rotate {MLLP_CLIENT})"
    why = [f"  .venv/bin/attend why {known}   {what}" for what, known in stories.items()]
    ask = 'curl -H "Authorization: Bearer $OPERATOR"'
    return Text(
        "\n".join(
            (
                "Open and try (demo --keep leaves it running):",
                "  export ATTEND_HOME=.attend/demo; OPERATOR=$(.venv/bin/attend key --operator)",
                *why,
                f"  .venv/bin/attend sources show {HARBOR_HIS}   what its messages mean",
                f"  {as_harbor} .venv/bin/attend day {next(iter(BY_MLLP))} {day}",
                f"  {operations_urls['booking']}/docs   the API of booking; the other services have one too",
                f"  {ask} {urls['booking']}/v1/appointments/{appointment}",
                f"  {ask} '{urls['records']}/v1/subfiles?appointment={appointment}'",
                f"  {ask} '{urls['reminders-api']}/v1/reminders?appointment={appointment}'",
                f"  {ask} '{urls['notifier']}/v1/notifications?appointment={appointment}'",
            )
        )
    )
