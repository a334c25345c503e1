"""No call is authorised after an opt-out was stored (G5, D36): answers with STOP race the reminders they are about."""

import sys
import time
from datetime import timedelta
from random import Random

import asyncpg
import pytest

from schemas.notifications import Channel
from schemas.reminders import Reason
from tests.chaos.sending.lane_runs import QUIETLY
from tests.chaos.sending.race import G5_S, near_the_front
from tests.chaos.sending.watched_gate import CALLS_OF_THE_UNWILLING, watch
from tests.support.installation import Installation
from tests.support.notifier.bookings_tables import MONDAY
from tests.support.notifier.callbacks import secrets, sms
from tests.support.notifier.running import RunningNotifier
from tests.support.waiting import until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(280)]

NUMBER = 400


async def test_d36_whoever_said_stop_before_the_gate_was_read_is_not_called(
    notifier: RunningNotifier, installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    admin = await asyncpg.connect(installation.admin_url)
    await watch(admin)
    numbers = []
    for n in range(NUMBER):
        visit = notifier.visit(await notifier.patient(email=None))
        numbers.append(await notifier.address(visit.patient_id, "mobile"))
        await notifier.hold(visit)
        await notifier.due(visit, not_after=MONDAY + timedelta(days=1, minutes=n))
    await notifier.start(lanes=(), **secrets())

    async def entered() -> bool:
        return bool(await notifier.pool.fetchval("SELECT count(*) = $1 FROM notification", NUMBER))

    async def over() -> bool:
        return not await notifier.pool.fetchval(
            "SELECT count(*) FROM notification WHERE state IN ('queued', 'sending')"
        )

    stopped: dict[str, float] = {}

    async def say_stop(n: int) -> None:
        answer = await sms(notifier, numbers[n], "STOP", sid=f"SM-{n}")
        assert answer.status_code == 200, answer.text
        stopped[numbers[n]] = time.time()

    await until(entered)
    notifier.carriers.answer_s = 0.08  # four at a time: about as fast as answers are taken
    await notifier.process("lane", Channel.SMS.value, **{**QUIETLY, "NOTIFIER_SMS_SLOTS": "4"})
    place = {number: n for n, number in enumerate(numbers)}
    await near_the_front(notifier.carriers.taken, place, Random(7), say_stop, over)
    await until(over)

    calls = await admin.fetch(CALLS_OF_THE_UNWILLING)
    await admin.close()
    late = [one.at - stopped[one.to] for one in notifier.carriers.taken]
    skipped = await notifier.pool.fetchval(
        "SELECT count(*) FROM notification WHERE state = 'skipped' AND reason = $1", Reason.OPTED_OUT
    )
    unlawful = [row["attempt_id"] for row in calls if row["knew"]]
    with capsys.disabled():
        sys.stdout.write(
            f"\n{NUMBER} answers with STOP; reminders accepted before: {sum(s <= 0 for s in late)}, after it but"
            f" authorised before: {sum(s > 0 for s in late)} (the latest {max(late):.3f} s after), not sent: {skipped};"
            f" violations: {len(unlawful)}\n"
        )
    assert unlawful == []
    assert max(late) <= G5_S
    assert len(calls) == len(late)
    assert (len(late) + skipped, len(stopped)) == (NUMBER, NUMBER)
    assert min(len(late), skipped) > 0
