"""A lane that is down or slow leaves the others at full speed (B10), all lanes in one process: the worst case."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx2
import pytest

from schemas.notifications import Channel
from tests.chaos.sending.lane_runs import enter, in_state, kill_9
from tests.support import databases
from tests.support.backends import KafkaServer, PostgresServer
from tests.support.carriers.programs import Carriers, carriers
from tests.support.installation import Installation
from tests.support.notifier.running import RunningNotifier
from tests.support.waiting import until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(280)]

MAILS = 600
SEEN = 40
"""So many mails beside a healthy lane are enough to compare with; fewer were no comparison."""
SMS = 200
FEWEST = 0.5
"""Of the mails sent in the same time beside a healthy lane. Measured: 0.93 to 1.03."""

_ANEW = """
UPDATE notifier.notification
SET state = 'queued', attempts = 0, attempt_id = NULL, lease_until = NULL, next_attempt_at = created_at,
    reason = NULL, steps = '[]', step_began_at = NULL, step_attempts = 0, accepted_at = NULL
WHERE kind = 'reminder'"""


def silent(carriers: Carriers, numbers: set[str]) -> None:
    """Let the SMS carrier take every message and never answer."""
    for number in numbers:
        carriers.script(number, "silent")


def slow(carriers: Carriers, numbers: set[str]) -> None:
    """Let the SMS carrier answer a byte at a time."""
    for number in numbers:
        carriers.script(number, "drip")


def down(carriers: Carriers, numbers: set[str]) -> None:
    """Let the SMS carrier refuse connections."""
    carriers.refuse(carriers.http_port)


def failing(carriers: Carriers, numbers: set[str]) -> None:
    """Let the SMS carrier answer 503 to everything."""
    for number in numbers:
        carriers.script(number, *[503] * 50)


FAULTS: tuple[Callable[[Carriers, set[str]], None], ...] = (silent, slow, down, failing)


@dataclass
class Side:
    """One of two installations that send the same side by side, so that both have the same machine.

    Attributes:
        numbers: Whom its SMS are for.
    """

    notifier: RunningNotifier
    admin: asyncpg.Connection
    numbers: set[str]

    @classmethod
    @asynccontextmanager
    async def open(cls, notifier: RunningNotifier, admin_url: str) -> AsyncIterator["Side"]:
        """Enter the mails and SMS that are to be sent."""
        mails = await enter(notifier, Channel.EMAIL, number=MAILS)
        texts = await enter(notifier, Channel.SMS, number=SMS)
        await notifier.start(lanes=())
        await in_state(notifier, [*mails, *texts], "queued")
        numbers = {await notifier.address(visit.patient_id, "mobile") for visit in texts}
        admin = await asyncpg.connect(admin_url)
        try:
            yield cls(notifier, admin, numbers)
        finally:
            await admin.close()

    async def ready(self) -> bool:
        """Say whether its process is ready."""
        try:
            return (await self.notifier.look("/health/ready")).is_success
        except httpx2.HTTPError:
            return False

    async def forget(self) -> None:
        """Forget that anything was sent, and answer again."""
        await self.admin.execute("TRUNCATE notifier.attempt")
        self.notifier.carriers.forget()
        await self.notifier.carriers.listen()

    async def send_anew(self) -> None:
        """Queue every message again."""
        await self.admin.execute(_ANEW)

    @property
    def mails(self) -> int:
        """How many mails were accepted."""
        return sum(one.channel == "email" for one in self.notifier.carriers.taken)


@pytest.fixture
async def twin(
    kafka: KafkaServer, postgres: PostgresServer, migrated_template: str, topic_prefix: str, tmp_path: Path
) -> AsyncIterator[tuple[RunningNotifier, str]]:
    """Give a second notifier, and the administrator's address of its database."""
    folder = tmp_path / "twin"
    folder.mkdir()
    async with (
        databases.fresh(postgres, migrated_template) as admin_url,
        Installation.open(kafka.bootstrap, admin_url, f"twin{topic_prefix}") as installation,
        carriers() as made,
        RunningNotifier.open(installation, made, folder) as opened,
    ):
        yield opened, admin_url


async def test_b10_mails_leave_at_full_speed_beside_a_broken_lane(
    notifier: RunningNotifier,
    installation: Installation,
    twin: tuple[RunningNotifier, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    counts = {}
    async with Side.open(notifier, installation.admin_url) as broken, Side.open(*twin) as healthy:
        for fault in FAULTS:
            counts[fault.__name__] = await _side_by_side(broken, healthy, fault)
    with capsys.disabled():
        for name, (beside_broken, beside_healthy) in counts.items():
            told = f"beside an sms lane that is {name}: {beside_broken} mails, beside a healthy one: {beside_healthy}"
            sys.stdout.write(f"\n{told}")
    assert [name for name, (mails, reference) in counts.items() if mails < FEWEST * max(reference, SEEN)] == []


async def _side_by_side(broken: Side, healthy: Side, fault: Callable[[Carriers, set[str]], None]) -> tuple[int, int]:
    """Run all lanes of both until one has sent its mails; return how many each sent since both had begun.

    Both are ready before anything is queued, so that neither is done when the other begins.
    """
    sides = broken, healthy
    for side in sides:
        await side.forget()
    fault(broken.notifier.carriers, broken.numbers)
    processes = [await side.notifier.process("run", ATTEND_LOG_LEVEL="error") for side in sides]
    for side in sides:
        await until(side.ready)
    await asyncio.gather(*(side.send_anew() for side in sides))

    async def both_send() -> bool:
        return bool(broken.mails and healthy.mails)

    await until(both_send)
    before = broken.mails, healthy.mails

    async def one_is_done() -> bool:
        return MAILS in (broken.mails, healthy.mails)

    await until(one_is_done)
    sent = broken.mails - before[0], healthy.mails - before[1]
    for process in processes:
        await kill_9(process)
    return sent
