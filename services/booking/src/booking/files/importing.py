"""A whole file of a source on its way through the door, and what became of it."""

import os
from collections.abc import Sequence
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx2
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from booking.files.bodies import MOST_RECORDS, bodies
from booking.files.kinds import CONTENT_TYPES, Cut, Kind, cut_as, kind_of
from booking.files.post import Poster, Stopped, Target, post_all
from booking.files.tally import Rejects, Tally
from booking.profiles.csv_knobs import CsvProfile
from booking.values.refusals import Refused
from booking.values.warned import Warned
from chassis.process.errors import AttendError, Misconfigured
from chassis.process.settings import secret_of
from schemas.appointments import IngestMode

URL, KEY = "ATTEND_BOOKING_URL", "ATTEND_CLIENT_KEY"
STDIN = Path("-")
CHUNK = 1024 * 1024
ANSWER_S = 120.0
"""For the answer to one body."""


class Wish(NamedTuple):
    """What of a file is asked for."""

    source: str | None
    mode: IngestMode | None
    dry_run: bool
    kind: Kind | None
    lanes: int

    @property
    def query(self) -> dict[str, str]:
        """The query of each request."""
        given = {
            "source": self.source,
            "mode": self.mode and self.mode.value,
            "dry_run": "true" if self.dry_run else None,
        }
        return {name: value for name, value in given.items() if value is not None}


class Imported(NamedTuple):
    """What became of a file.

    Attributes:
        rejects: Where the refused lines are told; None: there are none.
        stopped: Why it did not come to its end.
    """

    kind: Kind
    tally: Tally
    warnings: Sequence[Warned]
    rejects: Path | None
    stopped: AttendError | None = None


async def imported(file: Path, wish: Wish, *, shown: bool) -> Imported:
    """Send a file and return what became of it.

    Args:
        shown: Whether a bar on stderr tells how far it is.

    Raises:
        OSError: The file cannot be read, or that of refused lines not be written.
        Refused: It is a pipe, or none of these kinds, or its columns are not those of the source's profile.
        AttendError: The door does not answer, or takes no file of this client.
    """
    tally, warnings = Tally(), list[Warned]()
    rejects, size = Rejects(file.with_name(f"{file.name}.rejected.csv")), _size_of(file)
    with file.open("rb") as opened, _bar(shown=shown) as bar:
        first = opened.read(CHUNK)
        opened.seek(0)
        kind = wish.kind or kind_of(first)
        async with _http() as http:
            knobs = await _knobs(http, wish.source) if kind is Kind.CSV else CsvProfile()
            found = cut_as(kind, iter(lambda: opened.read(CHUNK), b""), first, knobs, warnings)
            task = bar.add_task("lines", total=size, seen=0)
            target = Target(http, CONTENT_TYPES[kind], wish.query, found.tail, found.encoding)
            poster = Poster(
                target, tally, rejects, lambda _: bar.update(task, completed=opened.tell(), seen=tally.seen)
            )
            with rejects:
                stopped = await _posted(found, poster, wish.lanes)
    return Imported(kind, tally, warnings, rejects.path if tally.refused else None, stopped)


def _size_of(file: Path) -> int:
    if file == STDIN or ((told := os.stat(file)) and not (S_ISREG(told.st_mode) or S_ISDIR(told.st_mode))):
        raise Refused("NOT_A_FILE", "a pipe cannot be read again after a stop: save it in a file first")
    return told.st_size


async def _posted(found: Cut, poster: Poster, lanes: int) -> AttendError | None:
    waiting = iter(bodies(found.records, found.lane_of, lanes, MOST_RECORDS))
    try:
        await post_all(lambda: next(waiting, None), poster, lanes)
    except Stopped as stopped:
        return stopped
    return None


def _http() -> httpx2.AsyncClient:
    url, key = os.environ.get(URL, "").rstrip("/"), secret_of(KEY)
    if not url or not key:
        raise Misconfigured(f"{URL} and {KEY} say where booking is, and who sends the file")
    return httpx2.AsyncClient(base_url=url, headers={"authorization": f"Bearer {key}"}, timeout=ANSWER_S)


async def _knobs(http: httpx2.AsyncClient, source: str | None) -> CsvProfile:
    """Return how the source's files are written: only so much of it is asked as it takes to cut rows."""
    if source is None:
        sources = list((await _asked(http, "/v1/client"))["sources"])
        if len(sources) != 1 or sources[0] == "*":
            raise Stopped("SOURCE_REQUIRED", "this client speaks for several sources; give --source")
        source = str(sources[0])
    told = await _asked(http, f"/v1/sources/{quote(source, safe='')}/profile")
    return CsvProfile.model_validate(told["in_force"].get("csv") or {})


async def _asked(http: httpx2.AsyncClient, path: str) -> dict[str, Any]:
    try:
        answer = await http.get(path)
        told: dict[str, Any] = answer.json()
    except (httpx2.TransportError, ValueError) as error:
        raise Stopped("NO_ANSWER", f"booking at {http.base_url} does not answer ({type(error).__name__})") from None
    if not answer.is_success:
        raise Stopped(str(told.get("code")), str(told.get("detail")))
    return told


def _bar(*, shown: bool) -> Progress:
    columns = (TextColumn("{task.fields[seen]:,} lines"), BarColumn(), TaskProgressColumn())
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, *times, console=Console(stderr=True), transient=True, disable=not shown)
