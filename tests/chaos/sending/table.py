"""The fault table: what each fault came to, by the carriers' own log and by the ledger."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis.postgres.database import Pool
from tests.support.carriers.log import Taken

OPEN = frozenset({"queued", "sending"})


@dataclass(frozen=True)
class Line:
    """One fault's line.

    Attributes:
        messages: Notifications that met the fault.
        accepted: Of those, how many a carrier has by its own log.
        doubled: Of those, how many a carrier has more than once on one channel.
        unknown: How many the ledger lists as unknown.
        refused: How many the ledger has failed or skipped, with a reason.
        lost: How many are in neither list: not accepted, not listed, not ended with a reason.
        wrong: Where the ledger and the acceptance log disagree.
    """

    fault: str
    messages: int
    accepted: int
    doubled: int
    unknown: int
    refused: int
    lost: int
    wrong: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Say whether nothing is doubled, lost or contradicted."""
        return not (self.doubled or self.lost or self.wrong)


_ROWS = "SELECT notification_id, state, reason FROM notifier.notification WHERE appointment_id = ANY($1::uuid[])"
_ATTEMPTS = """
SELECT attempt_id::text, notification_id, channel, outcome, delivery_state FROM notifier.attempt
WHERE notification_id = ANY($1::uuid[])"""


async def line(
    fault: str, pool: Pool, appointments: Iterable[UUID], taken: Sequence[Taken], kind: str = "reminder"
) -> Line:
    """Return the line of a fault that met the messages of this kind about these appointments."""
    rows = await pool.fetch(_ROWS + " AND kind = $2", list(appointments), kind)
    attempts = await pool.fetch(_ATTEMPTS, [row["notification_id"] for row in rows])
    owner = {attempt["attempt_id"]: (attempt["notification_id"], attempt["channel"]) for attempt in attempts}
    accepted = Counter(owner[one.reference] for one in taken if one.reference in owner)
    has = {notification for notification, _ in accepted}
    written: dict[UUID, set[str]] = defaultdict(set)
    for attempt in attempts:
        written[attempt["notification_id"]] |= {attempt["outcome"] or "open", attempt["delivery_state"]}
    state = {row["notification_id"]: row["state"] for row in rows}
    ended = {row["notification_id"] for row in rows if row["state"] in {"failed", "skipped"} and row["reason"]}
    return Line(
        fault=fault,
        messages=len(rows),
        accepted=len(has),
        doubled=sum(times > 1 for times in accepted.values()),
        unknown=sum(now == "unknown" for now in state.values()),
        refused=len(ended),
        lost=sum(now in OPEN or (now == "accepted" and one not in has) for one, now in state.items()),
        wrong=tuple(_contradictions(state, has, written)),
    )


def _contradictions(state: dict[UUID, str], has: set[UUID], written: dict[UUID, set[str]]) -> Iterable[str]:
    """Compare the ledger with the log: only what is listed unknown may be in one of them alone.

    What a carrier accepted and then reported undelivered has failed, if there was no other channel.
    """
    for one, now in state.items():
        returned = now == "failed" and "undelivered" in written[one]
        if one in has and now not in {"accepted", "unknown"} and not returned:
            yield f"the carrier has it, the ledger says {now}: {one}"
        if now == "accepted" and "accepted" not in written[one]:
            yield f"accepted without an accepted attempt, but {sorted(written[one])}: {one}"


def shown(lines: Iterable[Line]) -> str:
    """Return the table for a terminal."""
    head = ("fault", "messages", "accepted", "doubled", "unknown", "refused", "lost")
    rows = [
        (one.fault, *map(str, (one.messages, one.accepted, one.doubled, one.unknown, one.refused, one.lost)))
        for one in lines
    ]
    width = max(len(row[0]) for row in [head, *rows])
    return "\n".join(f"{row[0]:<{width}}" + "".join(f"{cell:>10}" for cell in row[1:]) for row in [head, *rows])
