"""What the listener counts. Labels are our own words, never anything that was sent."""

import re
from collections.abc import Sequence

from chassis.process.metrics import Metrics

_CODE = re.compile(rb"[\r\n]MSA[^\w\s](A[AER]|C[AER])")


class MllpCounts:
    """Counters in the process's registry."""

    def __init__(self, metrics: Metrics) -> None:
        told = "Messages that came over MLLP, by the code of their acknowledgement; `none`: none was asked for."
        self._messages = metrics.counter("booking_mllp_messages", told, ["ack"])
        told = "From a message's last byte to the acknowledgement of all that were read with it."
        self.seconds = metrics.histogram("booking_mllp_ack_seconds", told)
        self.connections = metrics.gauge("booking_mllp_connections", "Connections of MLLP that are open.")
        told = "Connections that were turned away: ADDRESS, FULL, TLS."
        self.turned_away = metrics.counter("booking_mllp_turned_away", told, ["reason"])
        told = "Connections that were ended, or broke: HALF_FRAME, IDLE, SLOW_READER, BROKEN_OFF, FAILED."
        self.ended = metrics.counter("booking_mllp_ended", told, ["reason"])
        self.junk = metrics.counter("booking_mllp_junk_bytes", "Bytes outside of frames, or of a frame given up.")
        told = "Bytes that have come of messages whose end has not."
        self.waiting = metrics.gauge("booking_mllp_half_frame_bytes", told)
        told = "How long the oldest message without an end, or bytes without a message, have waited."
        self.oldest = metrics.gauge("booking_mllp_half_frame_seconds", told)

    def answered(self, answers: Sequence[bytes], seconds: float) -> None:
        """Count messages by their acknowledgements, and how long it took."""
        self.seconds.observe(seconds)
        for answer in answers:
            found = _CODE.search(answer)
            self._messages.labels(found[1].decode() if found else "none").inc()
