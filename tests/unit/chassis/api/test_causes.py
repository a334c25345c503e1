"""A request that is answered 503 has its cause in the log, once a second however many there are."""

from structlog.testing import capture_logs

from chassis.api.causes import Causes
from chassis.api.problems import away
from chassis.process.errors import Unavailable

DEADLOCK = Unavailable("DATABASE_UNAVAILABLE", "PostgreSQL: 40P01")
NO_CONNECTION = Unavailable("DATABASE_UNAVAILABLE", "PostgreSQL: no connection in 10 s")


def test_each_cause_is_logged_with_its_own_words_and_once_a_second() -> None:
    times = iter([0.0, 0.1, 0.2, 0.9, 1.1, 5.0])
    causes = Causes(lambda: next(times))
    with capture_logs() as logs:
        for error in (DEADLOCK, DEADLOCK, NO_CONNECTION, DEADLOCK, DEADLOCK, NO_CONNECTION):
            causes.tell(error)
    assert [(one["why"], one["count"]) for one in logs] == [
        ("PostgreSQL: 40P01", 1),
        ("PostgreSQL: no connection in 10 s", 1),
        ("PostgreSQL: 40P01", 3),
        ("PostgreSQL: no connection in 10 s", 1),
    ]
    assert {(one["event"], one["log_level"], one["code"]) for one in logs} == {
        ("request.away", "warning", "DATABASE_UNAVAILABLE")
    }


def test_the_answer_does_not_say_the_cause_and_the_log_does() -> None:
    with capture_logs() as logs:
        problem = away(Unavailable("KEY_RACE", "an event id was taken by another batch meanwhile"))
    assert (problem.status, problem.code, "another batch" in problem.detail) == (503, "KEY_RACE", False)
    assert [one["why"] for one in logs] == ["an event id was taken by another batch meanwhile"]
