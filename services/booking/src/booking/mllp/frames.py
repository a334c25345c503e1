"""Frames of MLLP: 0x0B, a message, 0x1C 0x0D. Bytes in, whole messages out; no socket and no clock in here."""

import re
from collections.abc import Sequence
from typing import NamedTuple

START, STOP, CR = 0x0B, 0x1C, 0x0D
_FILLER = bytes((0x00, 0x0A, CR, STOP))
"""Bytes between frames that mean nothing: line ends, NULs, and the end bytes of senders that write them twice."""
_BEGUN_ANEW = re.compile(rb"\x0b+(?=MSH|FHS|BHS|\x0b*\Z)")
"""A start byte inside a frame, where a message begins: what stood before it was never finished."""
_END = bytes((STOP, CR))


class Frame(NamedTuple):
    """A message as it came.

    Attributes:
        body: Its bytes, without those of the frame; of one that is too long, its beginning.
        too_long: Whether it was longer than is taken.
    """

    body: bytes
    too_long: bool = False


def framed(answers: Sequence[bytes]) -> bytes:
    """Return the answers in frames, as one text; an empty answer is none."""
    return b"".join(b"\x0b%b\x1c\x0d" % answer for answer in answers if answer)


class Frames:
    """Cuts what one connection sends into messages, however it comes in packets.

    A start byte in a message's text stays, unless a message begins after it: the sender gave up the one before and
    began anew. So does an end byte that no carriage return follows.

    Args:
        limit: The longest message, in bytes. Of a longer one the beginning is kept, and the rest is thrown away until
            its end comes.

    Attributes:
        junk: Bytes so far that stood outside of any frame and mean something, or in a frame that was given up.
        since: When the first byte came that waits for more, as `feed` was told; None while none waits.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._inside = False
        self._looked = 0
        self._dropped = 0
        self.junk = 0
        self.since: float | None = None

    @property
    def waiting(self) -> int:
        """How many bytes of a message have come whose end has not."""
        return len(self._buffer) + self._dropped if self._inside else 0

    def feed(self, data: bytes, at: float) -> list[Frame]:
        """Take what was read, and return the messages that are whole now, in order.

        Args:
            at: Now, in seconds of any clock that only goes forward.
        """
        junk, was_inside, ended = self.junk, self._inside, list[Frame]()
        self._buffer += data
        while (frame := self._next()) is not None:
            ended.append(frame)
        if self._inside:
            self.since = at if ended or not was_inside else self.since
        elif ended:
            self.since = None
        elif self.since is None and self.junk > junk:
            self.since = at
        return [frame for frame in ended if frame.body]

    def _next(self) -> Frame | None:
        if not self._inside and not self._begin():
            return None
        end = self._buffer.find(_END, self._looked)
        if end < 0:
            self._keep_the_beginning()
            return None
        body, dropped = bytes(self._buffer[:end]), self._dropped
        del self._buffer[: end + len(_END)]
        self._inside, self._looked, self._dropped = False, 0, 0
        if dropped or len(body) > self._limit:
            return Frame(body[: self._limit], too_long=True)
        return Frame(self._last_of(body))

    def _begin(self) -> bool:
        """Go to the start of the next frame, and say whether there is one."""
        start = self._buffer.find(START)
        outside = self._buffer[: start if start >= 0 else len(self._buffer)]
        self.junk += len(outside.translate(None, _FILLER))
        del self._buffer[: len(outside) + (start >= 0)]
        self._inside = start >= 0
        return self._inside

    def _keep_the_beginning(self) -> None:
        """Hold no more of a frame without end than is needed: its beginning, and what may be half of its end."""
        if len(self._buffer) > self._limit + 1:
            more = len(self._buffer) - self._limit - 1
            del self._buffer[self._limit : self._limit + more]
            self._dropped += more
        self._looked = max(0, len(self._buffer) - 1)

    def _last_of(self, body: bytes) -> bytes:
        *given_up, last = _BEGUN_ANEW.split(body)
        self.junk += sum(map(len, given_up))
        return last
