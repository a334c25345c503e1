"""A cancellation that was committed before the gate was read wins, always (G5, I7, B8)."""

import sys

import asyncpg
import pytest

from tests.chaos.sending.race import Verdict, judge, run_race
from tests.chaos.sending.upstream import booking
from tests.chaos.sending.watched_gate import watch
from tests.support.installation import Installation
from tests.support.notifier.running import RunningNotifier


async def race(notifier: RunningNotifier, installation: Installation, number: int, *, deaf: bool = False) -> Verdict:
    """Run a race of so many cancellations and return what it came to."""
    admin = await asyncpg.connect(installation.admin_url)
    try:
        await watch(admin, deaf=deaf)
        async with booking(notifier, installation) as upstream:
            await notifier.start(lanes=())
            await upstream.register(number)
            await upstream.book(number)
            await run_race(notifier, upstream, seed=number)
            return await judge(admin, upstream, notifier.carriers.taken)
    finally:
        await admin.close()


def show(verdict: Verdict, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n{verdict}\n")


@pytest.mark.integration
async def test_i7_b8_no_call_is_authorised_after_a_cancellation_was_committed(
    notifier: RunningNotifier, installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    verdict = await race(notifier, installation, 200)
    show(verdict, capsys)
    assert verdict.violations == []
    assert verdict.cancellations == 200
    assert verdict.sent_before + verdict.still_arrived + verdict.cancelled_first == 400
    assert verdict.sent_before + verdict.still_arrived > 0
    assert verdict.cancelled_first > 0


@pytest.mark.integration
async def test_i7_the_race_reports_a_gate_that_hears_of_no_cancellation(
    notifier: RunningNotifier, installation: Installation
) -> None:
    verdict = await race(notifier, installation, 40, deaf=True)
    assert [line for line in verdict.violations if "read after the cancellation's commit" in line]


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_g5_two_thousand_cancellations_race_four_thousand_messages(
    notifier: RunningNotifier, installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    verdict = await race(notifier, installation, 2000)
    show(verdict, capsys)
    assert verdict.violations == []
    assert verdict.cancellations == 2000
    assert verdict.sent_before + verdict.still_arrived + verdict.cancelled_first == 4000
