"""The terms of a partition: which timers its rows have. Numbered, and kept in the changelog beside the rows.

Thousands of rows share one set of terms, so a row names it by number. What terms say is their owner's
affair: here they are bytes. Numbers belong to one partition, whose single writer gives them in order.
"""

import struct

PREFIX = b"terms/"
_NUMBER = struct.Struct("<I")
KEY_LENGTH = len(PREFIX) + _NUMBER.size


def key_of(number: int) -> bytes:
    """Return the changelog key of terms."""
    return PREFIX + _NUMBER.pack(number)


def number_of(key: bytes) -> int | None:
    """Return which terms a changelog key names, or None if it names something else."""
    if len(key) == KEY_LENGTH and key.startswith(PREFIX):
        return int(_NUMBER.unpack_from(key, len(PREFIX))[0])
    return None


class TermsTable:
    """Terms by number and back.

    Attributes:
        unwritten: Numbers given since the last write, with their content. Whoever writes rows writes
            these with them, in the same transaction, and calls `written`.
    """

    def __init__(self) -> None:
        self._contents: dict[int, bytes] = {}
        self._numbers: dict[bytes, int] = {}
        self.unwritten: dict[int, bytes] = {}

    def __len__(self) -> int:
        return len(self._contents)

    def __contains__(self, number: int) -> bool:
        return number in self._contents

    def replay(self, number: int, content: bytes | None) -> None:
        """Take one changelog record."""
        self._numbers.pop(self._contents.pop(number, b""), None)
        if content is not None:
            self._contents[number] = content
            self._numbers[content] = number

    def number(self, content: bytes) -> int:
        """Return the number of these terms, a new one if they are new here."""
        number = self._numbers.get(content)
        if number is None:
            number = max(self._contents, default=0) + 1
            self.replay(number, content)
            self.unwritten[number] = content
        return number

    def content(self, number: int) -> bytes:
        """Return what the terms say."""
        return self._contents[number]

    def written(self) -> None:
        """Say that everything unwritten is in the changelog."""
        self.unwritten = {}
