"""What the demo shows."""

from datetime import UTC, date, datetime
from io import StringIO

from rich.console import Console, RenderableType

from stack.demo.by_clinic import Feed, FeedRow
from stack.demo.comparison import Row
from stack.demo.view import clinics, stages, verdict, what_to_try


def shown(what: RenderableType) -> str:
    console = Console(file=StringIO(), width=160)
    console.print(what)
    file = console.file
    assert isinstance(file, StringIO)
    return file.getvalue()


def test_the_live_table_shows_local_times_counts_and_processes() -> None:
    now = datetime(2027, 3, 14, 20, tzinfo=UTC)
    text = shown(stages(now, {"events": 1234}, {"records": {"state": "ready", "lag": 3, "dead_letters": 0}}))
    assert "HARBOR Sun 14 Mar 16:00 EDT" in text
    assert "1,234" in text
    assert "records" in text


def test_the_verdict_names_what_does_not_agree() -> None:
    rows = [Row("sub-files: ACTIVE", 2, 2, 0, 0), Row("reminders: SENT sms", 2, 1, 1, 0, ("missing ('a',)",))]
    text = shown(verdict(rows, ["e-1: applied expected, got nothing"]))
    assert text.count("agrees") == 1
    assert text.count("DIFFERS") == 1
    assert "missing ('a',)" in text
    assert "e-1: applied expected" in text


def test_a_verdict_that_is_cut_says_so() -> None:
    whole, cut = (shown(verdict([], [f"e-{n}: refused" for n in range(count)])) for count in (40, 43))

    assert "e-39: refused" in whole
    assert "more" not in whole
    assert "e-39: refused" in cut
    assert "e-40" not in cut
    assert "… and 3 more lines" in cut


def test_it_ends_with_what_to_open_and_try() -> None:
    urls = {name: f"http://{name}" for name in ("booking", "records", "reminders-api", "notifier")}
    stories = {"all well": "a-1", "got nothing": "a-2"}
    text = shown(what_to_try(urls, {"booking": "http://booking-operations"}, stories, date(2027, 3, 12)))
    assert "http://booking-operations/docs" in text
    assert "http://reminders-api/v1/reminders?appointment=a-1" in text
    assert "attend why a-2   got nothing" in text
    assert "clients rotate harbor) .venv/bin/attend day HARBOR 2027-03-12" in text


def test_the_table_of_clinics_says_what_was_expected_where_it_is_not_what_was_found() -> None:
    feed = Feed("HARBOR", "HL7 v2 over MLLP", frozenset())
    text = shown(clinics([FeedRow(feed, (129, 129), (448, 447), (1229, 1229), 1, 0)]))
    assert "│ HARBOR │ HL7 v2 over MLLP │    129 │ 447 of 448 │   1,229 │    1 │       0 │" in text
