"""The clinic that lets nobody in uncleared: its script, and the model of who is let in."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from stack.demo import clearing
from stack.demo.changes import Change
from stack.demo.clearing import INSURED, SELF_PAY, Act, CheckIn, Word
from stack.demo.comparison import compare
from stack.demo.expectation import Facts, expect
from stack.demo.let_in import at_the_desk, with_the_desk
from stack.demo.week import write_week

WEEK = write_week(seed=7, after=date(2026, 11, 24))
NOW = datetime(2027, 3, 12, 8, 30, tzinfo=UTC)
BOOKED = Change(
    at=NOW - timedelta(days=2), event_id="v:booked", appointment="v", status="booked", patient="p", clinic="THAMES",
    zone="Europe/London", start=NOW + timedelta(hours=3), service=clearing.SERVICE,
)  # fmt: skip
CHECK_IN = CheckIn(NOW, "v")


def said(kind: str, state: str, payer_class: str | None = None) -> Word:
    return Word(NOW - timedelta(days=1), "v", f"{kind}-{state}", kind, state, payer_class)


SIGNED, WITHDRAWN = said("consent", "cleared"), said("consent", "withdrawn")
PAID, IS_INSURED = said("financial", "cleared", SELF_PAY), said("financial", "cleared", INSURED)


@pytest.mark.parametrize(
    ("acts", "what", "lacks"),
    [
        ((SIGNED, PAID), "let in", ""),
        ((SIGNED, IS_INSURED), "let in", ""),
        ((SIGNED,), "refused", "financial MISSING"),
        ((SIGNED, said("financial", "pending", SELF_PAY)), "refused", "financial PENDING"),
        ((IS_INSURED,), "refused", "consent MISSING"),
        ((), "refused", "consent MISSING, financial MISSING"),
        ((SIGNED, IS_INSURED, WITHDRAWN), "refused", "consent WITHDRAWN"),
        ((WITHDRAWN, IS_INSURED, SIGNED), "let in", ""),
    ],
)
def test_r34_who_is_let_in_and_for_want_of_what_not(acts: tuple[Act, ...], what: str, lacks: str) -> None:
    [answer] = at_the_desk([BOOKED], [*acts, CHECK_IN]).answers
    assert (answer.what, answer.lacks) == (what, lacks)


def test_r34_an_override_lets_in_and_keeps_what_lacked() -> None:
    [answer] = at_the_desk([BOOKED], [IS_INSURED, replace(CHECK_IN, override=True)]).answers
    assert (answer.what, answer.lacks) == ("overridden", "consent MISSING")
    [cleared] = at_the_desk([BOOKED], [SIGNED, PAID, replace(CHECK_IN, override=True)]).answers
    assert cleared.what == "let in"


def test_r34_what_upstream_reports_is_taken_and_put_on_the_work_list_until_the_visit_is_cleared() -> None:
    reported = BOOKED.then(NOW, "checked-in", status="checked-in")
    desk = at_the_desk([BOOKED, reported], [IS_INSURED])
    assert [(one.what, one.lacks) for one in desk.answers] == [("reported", "consent MISSING")]
    assert desk.flags == {("v", "NOT_CLEARED", "open"), ("v", "CLEARANCE_MISSING", "done")}
    later = replace(SIGNED, at=NOW + timedelta(hours=1))
    flags = at_the_desk([BOOKED, reported], [IS_INSURED, later]).flags
    assert flags == {("v", code, "done") for code in ("NOT_CLEARED", "CLEARANCE_MISSING")}


DUE = BOOKED.start - timedelta(days=2)
EARLY = [replace(one, at=DUE - timedelta(hours=1)) for one in (SIGNED, PAID)]


@pytest.mark.parametrize(
    ("booked", "acts", "missing"),
    [
        (BOOKED, [], [DUE]),
        (BOOKED, EARLY[:1], [DUE]),
        (BOOKED, EARLY, []),
        (BOOKED, [SIGNED, PAID], [DUE]),  # the day after
        (BOOKED, [*EARLY, replace(WITHDRAWN, at=DUE - timedelta(minutes=1))], [DUE]),
        (replace(BOOKED, at=DUE), [], [DUE]),
        (replace(BOOKED, at=DUE + timedelta(minutes=1)), [], []),
        (replace(BOOKED, service="Consultation"), [], []),
    ],
)
def test_r34_two_days_before_whoever_lacks_something_is_told(
    booked: Change, acts: list[Act], missing: list[datetime]
) -> None:
    assert [one.at for one in at_the_desk([booked], acts).missing] == missing


def test_r34_two_days_before_is_by_the_clinics_wall() -> None:
    summer = datetime(2027, 3, 29, 9, tzinfo=UTC)  # ten in London, an hour after the clocks went forward
    [one] = at_the_desk([replace(BOOKED, at=summer - timedelta(days=9), start=summer)], []).missing
    assert one.at == datetime(2027, 3, 27, 10, tzinfo=UTC)


def test_what_is_taken_back_is_on_the_work_list_until_it_is_said_again() -> None:
    assert at_the_desk([BOOKED], [SIGNED, WITHDRAWN]).flags == {("v", "CLEARANCE_MISSING", "open")}
    assert at_the_desk([BOOKED], [SIGNED, WITHDRAWN, SIGNED, PAID]).flags == {("v", "CLEARANCE_MISSING", "done")}


def test_whoever_is_let_in_has_that_version_and_who_is_turned_away_has_none() -> None:
    assert with_the_desk([BOOKED], [CHECK_IN]) == (BOOKED,)
    taken = with_the_desk([BOOKED], [SIGNED, PAID, CHECK_IN, replace(CHECK_IN, what="again")])
    assert [(one.at, one.status) for one in taken[1:]] == [(NOW, "checked-in")]


def test_the_week_tells_each_story_of_the_desk() -> None:
    facts = expect(WEEK)
    assert Counter((what, lacks) for _, what, lacks in facts.check_ins.elements()) == {
        ("let in", ""): 3,
        ("refused", "consent MISSING"): 2,
        ("refused", "financial MISSING"): 1,
        ("refused", "consent WITHDRAWN"): 1,
        ("overridden", "consent MISSING"): 1,
        ("reported", "consent MISSING, financial MISSING"): 1,
    }
    assert Counter((code, state) for _, code, state in facts.work_list) == {
        ("CLEARANCE_MISSING", "open"): 2,
        ("CLEARANCE_MISSING", "done"): 5,
        ("NOT_CLEARED", "open"): 1,
    }
    assert Counter((outcome, why) for _, kind, outcome, why in facts.news if kind == "clearance-missing") == {
        ("accepted", "sms"): 5,
        ("accepted", "email"): 1,
    }
    assert [fact[1] for fact in facts.notices if fact[1] == "provider-not-cleared"] == ["provider-not-cleared"]


def test_what_was_expected_of_every_other_visit_is_expected_as_before() -> None:
    names = {act.appointment for act in WEEK.acts} | {f"THAMES-{clearing.REPORTED:03d}-{clearing.SERVICE}"}
    assert len(names) == len(clearing.STORIES)
    without = replace(WEEK, acts=(), changes=tuple(one for one in WEEK.changes if one.appointment not in names))
    before, now = expect(without), expect(WEEK)

    def of_others(facts: Facts, kind: str) -> Counter[object]:
        counted: Counter[tuple[str, ...]] = getattr(facts, kind)
        return Counter({fact: n for fact, n in counted.items() if not names & set(map(str, fact))})

    for kind in ("reminders", "news", "sub_files"):
        assert of_others(now, kind) == of_others(before, kind)
    lists = Counter({fact: n for fact, n in now.notices.items() if fact[1] == "provider-day"})
    assert lists >= Counter({fact: n for fact, n in before.notices.items() if fact[1] == "provider-day"})
    assert not (before.messages - now.messages)


def test_the_table_has_a_line_for_each_thing_that_a_desk_is_answered() -> None:
    found = expect(WEEK)
    assert all(row.agrees for row in compare(expect(WEEK), found))
    visit = next(name for name, what, _ in found.check_ins if what == "overridden")
    found.check_ins = found.check_ins - Counter({(visit, "overridden", "consent MISSING"): 1})
    assert [row.what for row in compare(expect(WEEK), found) if not row.agrees] == [
        "check-ins: overridden consent MISSING"
    ]


def test_a_word_says_what_its_kind_has_to_say() -> None:
    assert SIGNED.body()["signed_at"] == SIGNED.at.isoformat()
    assert "signed_at" not in WITHDRAWN.body()
    assert PAID.body()["amount_minor"] == 12500
    assert IS_INSURED.body()["payer_class"] == INSURED
    assert "amount_minor" not in IS_INSURED.body()
    assert set(CHECK_IN.body()) == {"event_id", "by"}
    assert replace(CHECK_IN, override=True).body()["reason"]
