"""What became of a file's records, counted; and the file of those that were refused."""

import csv
from collections import Counter
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TextIO

from booking.files.cut import Record
from booking.values.refusals import IGNORED_MESSAGE

COLUMNS = ("line", "code", "place", "detail")


@dataclass(slots=True)
class Tally:
    """How many records came to what.

    Attributes:
        results: By what became of those that were taken: `applied`, `repeat`…
        refused: By code.
        warnings: Of those that were taken, by code.
        reminders_cancelled: How many reminders they took back.
        ignored: Those of nobody's visit.
    """

    results: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    reminders_cancelled: int = 0
    ignored: int = 0

    @property
    def seen(self) -> int:
        """All of them."""
        return self.results.total() + self.refused.total() + self.ignored

    def take(self, answer: Mapping[str, Any]) -> None:
        """Count what was taken."""
        self.results[str(answer["result"])] += 1
        self.reminders_cancelled += answer.get("reminders_cancelled") or 0
        self.warnings.update(str(one["code"]) for one in answer.get("warnings", ()))

    def refuse(self, code: str) -> bool:
        """Count what was not, and say whether it is to be shown."""
        if code == IGNORED_MESSAGE:
            self.ignored += 1
            return False
        self.refused[code] += 1
        return True

    @property
    def members(self) -> dict[str, Any]:
        """The counts as JSON."""
        counts = {"results": self.results, "refused": self.refused, "warnings": self.warnings}
        told = {name: dict(sorted(found.items())) for name, found in counts.items()}
        return {**told, "ignored": self.ignored, "reminders_cancelled": self.reminders_cancelled}


class Rejects:
    """The file of refused lines: where each stands, why, and never what is in it. It is made with the first one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: TextIO | None = None
        self._is_lost = False

    def __enter__(self) -> Self:
        self.path.unlink(missing_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            with suppress(OSError) if self._is_lost else nullcontext():
                self._file.close()

    def add(self, record: Record, code: str, place: str, detail: str) -> None:
        """Write a line of it.

        Raises:
            OSError: It cannot be written, as the disk is full.
        """
        try:
            if self._file is None:
                self._file = self.path.open("w", buffering=1, encoding="utf-8", newline="")
                csv.writer(self._file).writerow(COLUMNS)
            csv.writer(self._file).writerow((record.line, code, place, detail))
        except OSError:
            self._is_lost = True
            raise
