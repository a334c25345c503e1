"""kill -9 of the listener of MLLP and of the service that publishes, under several engines, for longer."""

import sys
from pathlib import Path
from random import Random

import pytest

from stack import services
from stack.supervisor import System
from tests.support.booking.mllp_kills import Outcome, play


@pytest.mark.chaos
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(3))
async def test_many_kills_while_engines_send_lose_and_double_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    kills = Random(seed).choices(["booking-mllp", "booking"], weights=[3, 1], k=12)
    run = services.named(["booking", "booking-mllp"])
    with System(tmp_path / "system", ports="free", sinks=False, run=run) as system:
        outcome = await play(system, senders=6, each=400, kills=kills)
    with capsys.disabled():
        sys.stdout.write(f"\n{outcome}\n")
    assert outcome == Outcome(4800, 12, outcome.again, {"AA": 4800}, 0, 0, 0)
    assert outcome.again > 0
