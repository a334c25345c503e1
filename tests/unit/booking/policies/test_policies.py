"""The rules of reminder policies: leads, slugs, and what other rules do to a visit's reminders (D13, D14, B4)."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from booking.appointments.messages import appointment_changed
from booking.clinics import policy_json
from booking.clinics.domain.clinic import ClinicState
from booking.clinics.domain.own_policy import OwnPolicy
from booking.policies.domain.change import change_of, giving_up
from booking.policies.domain.effect import NOTHING, Effect, effect_of, in_force_since, is_touched, would_have_left
from booking.policies.domain.rules import DEFAULT_SLUGS, Lead, checked, leads_of, next_rules
from booking.values.refusals import Refused
from schemas import wire
from schemas.appointments import Appointment, Bar, ReminderPolicy, ReminderRule, SendWindow, Status
from schemas.planning import plan
from tests.support.booking.builders import EYE, HOUR, NOW, START, VISIT, batch, change, command

DAY, TWO, WEEK = Lead(hours=24), Lead(hours=2), Lead(days=7)
LATER = NOW + timedelta(days=1)


def visit(starts_at: datetime = START, status: Status = Status.BOOKED, barred: Bar | None = None) -> Appointment:
    """Return a visit booked at NOW with the default rules."""
    taken = batch()
    taken.take(command(starts_at=starts_at, ends_at=starts_at + HOUR, status=status))
    return wire.decode(Appointment, appointment_changed(VISIT, taken.versions[0][1], EYE, barred).value)


def policy(*leads: Lead, since: datetime = LATER) -> ReminderPolicy:
    rules = next_rules(EYE.policy.rules, checked(leads), DEFAULT_SLUGS, since)
    return EYE.policy.model_copy(update={"policy_id": "EYE/1", "rules": rules})


def test_leads_stand_longest_first_whatever_order_they_came_in() -> None:
    assert checked([TWO, WEEK, DAY]) == checked([DAY, TWO, WEEK]) == (WEEK, DAY, TWO)
    assert checked([]) == ()


@pytest.mark.parametrize(
    ("leads", "code"),
    [
        ([Lead()], "LEAD_REQUIRED"),
        ([Lead(1, 1)], "LEAD_REQUIRED"),
        ([Lead(hours=0)], "NUMBER_OUT_OF_RANGE"),
        ([Lead(days=91)], "NUMBER_OUT_OF_RANGE"),
        ([DAY, Lead(days=1)], "DUPLICATE_RULE"),
        ([Lead(hours=hours) for hours in range(1, 12)], "TOO_MANY_RULES"),
    ],
)
def test_leads_that_cannot_be_are_refused(leads: list[Lead], code: str) -> None:
    with pytest.raises(Refused) as refused:
        checked(leads)
    assert refused.value.code == code


def test_a_kept_rule_keeps_slug_and_beginning_and_a_new_one_gets_a_slug_never_used() -> None:
    kept, new = next_rules(EYE.policy.rules[:1], [DAY, TWO], {"2h-2"}, LATER)
    assert kept == EYE.policy.rules[0]
    assert (new.slug, new.in_force_since) == ("2h-3", LATER)


def test_a_change_says_from_what_to_what_and_none_is_made_for_the_same() -> None:
    assert change_of(EYE, None, [TWO, DAY], (), 1, "desk", LATER) is None
    made = change_of(EYE, None, [WEEK, TWO], (), 1, "desk", LATER)
    assert made is not None
    assert (made.policy_before, made.policy_id, made.minted) == ("EYE/default", "EYE/1", ("7d",))
    clinic = made.in_force_at(EYE)
    assert (clinic.version, leads_of(clinic.policy_for("any").rules)) == (2, (WEEK, TWO))


def test_a_service_type_may_pin_what_the_clinic_has() -> None:
    made = change_of(EYE, "MRI", [DAY, TWO], (), 1, "desk", LATER)
    assert made is not None
    clinic = made.in_force_at(EYE)
    assert (clinic.version, clinic.own_services, made.minted) == (1, ("MRI",), ())
    assert change_of(clinic, "MRI", [DAY, TWO], (), 2, "desk", LATER) is None


def with_own(clinic: ClinicState, service: str, leads: list[Lead], minted: set[str], version: int) -> ClinicState:
    """Return the clinic after a service type got rules of its own, and note their slugs."""
    made = change_of(clinic, service, leads, minted, version, "desk", NOW + version * HOUR)
    assert made is not None
    minted |= set(made.minted)
    return made.in_force_at(clinic)


def given_up(clinic: ClinicState, service: str, minted: set[str], version: int) -> ClinicState:
    """Return the clinic after a service type gave its own up, and note the slugs that it got."""
    made = giving_up(clinic, service, minted, version, "desk", NOW + version * HOUR)
    assert made is not None
    minted |= set(made.minted)
    after = made.in_force_at(clinic)
    assert after.policy_for(service).rules == made.rules
    return after


def slugs(clinic: ClinicState, service: str | None) -> list[str]:
    return [rule.slug for rule in clinic.policy_for(service).rules]


def test_a_service_type_that_gives_its_rules_up_gets_none_back_under_a_slug_that_it_lost() -> None:
    minted: set[str] = set()
    clinic = given_up(with_own(EYE, "MRI", [Lead(hours=48), TWO], minted, 1), "MRI", minted, 2)
    assert slugs(clinic, "MRI") == ["24h-2", "2h"]
    assert slugs(clinic, None) == slugs(clinic, "Check") == ["24h", "2h"]


def test_giving_up_again_and_again_never_gives_one_slug_twice() -> None:
    minted: set[str] = set()
    clinic, had = EYE, [set(slugs(EYE, "MRI"))]
    for version in range(1, 9, 2):
        clinic = with_own(clinic, "MRI", [Lead(hours=version + 2)], minted, version)
        had.append(set(slugs(clinic, "MRI")))
        clinic = given_up(clinic, "MRI", minted, version + 1)
        had.append(set(slugs(clinic, "MRI")))
    assert len(set.union(*had)) == sum(map(len, had))


def test_what_the_clinic_changes_later_concerns_who_gave_his_own_up() -> None:
    minted: set[str] = set()
    clinic = given_up(with_own(EYE, "MRI", [Lead(hours=48)], minted, 1), "MRI", minted, 2)
    later = change_of(clinic, None, [WEEK, TWO], minted, 3, "desk", NOW + 3 * HOUR)
    assert later is not None
    changed = later.in_force_at(clinic)
    assert slugs(changed, "MRI") == ["7d", "2h-2"]
    assert slugs(changed, None) == ["7d", "2h"]


def test_what_was_given_up_is_read_again_as_it_was_kept() -> None:
    minted: set[str] = set()
    clinic = given_up(with_own(EYE, "MRI", [Lead(hours=48)], minted, 1), "MRI", minted, 2)
    (kept,) = clinic.policies
    assert policy_json.own_policy(policy_json.own(kept)) == kept


def test_what_was_given_up_before_there_were_stand_ins_keeps_the_clinics_slugs() -> None:
    """Its visits are stamped with them: another slug would take their reminders back and plan them anew."""
    early = OwnPolicy("MRI", "EYE/2", EYE.policy.rules[1:], LATER)
    told = {name: value for name, value in policy_json.own(early).items() if name != "stand_ins"}
    clinic = replace(EYE, policies=(policy_json.own_policy(told),))
    assert [(rule.slug, rule.in_force_since >= LATER) for rule in clinic.policy_for("MRI").rules] == [
        ("24h", True),
        ("2h", False),
    ]


def test_a_stamp_is_the_policy_as_the_contract_writes_it() -> None:
    own = OwnPolicy("MRI", "EYE/1", EYE.policy.rules[1:])
    clinic = replace(EYE, policies=(own,))
    assert clinic.stamp("MRI") == wire.encode(clinic.policy_for("MRI")) != clinic.stamp("Check")
    assert clinic.stamp("Check") == clinic.stamp(None) == wire.encode(EYE.policy)


@pytest.mark.parametrize(
    ("leads", "effect"),
    [
        ([WEEK, DAY, TWO], Effect(1, added=1, kept=2)),
        ([TWO], Effect(1, removed=1, kept=1)),
        ([], Effect(1, removed=2)),
        ([Lead(hours=48), TWO], Effect(1, moved=1, kept=1)),
        ([Lead(hours=48), Lead(hours=4), Lead(hours=1)], Effect(1, added=1, moved=2)),
        ([Lead(days=30), DAY, TWO], Effect(1, kept=2, too_late=1)),
        ([DAY, TWO], NOTHING),
    ],
)
def test_the_effect_counts_reminders_added_removed_moved_and_too_late(leads: list[Lead], effect: Effect) -> None:
    assert effect_of(visit(), policy(*leads), LATER) == effect


EARLY_VISIT = datetime(2027, 3, 11, 8, 30, tzinfo=UTC)
"""Two hours before it a clinic that opens at seven is closed, and the evening before is within twelve hours."""


def with_hours(opens: int, closes: int) -> SendWindow:
    return SendWindow(opens=time(opens), closes=time(closes))


def test_the_effect_is_counted_with_the_hours_that_come_with_the_rules() -> None:
    """The visit was stamped when the clinic was open from nine to twelve: its 2 h reminder was impossible."""
    held = visit(EARLY_VISIT)
    narrow = held.model_copy(update={"policy": held.policy.model_copy(update={"window": with_hours(9, 12)})})
    assert [r.rule for r in plan(narrow) if r.reason is None] == []
    wide = policy(Lead(hours=48), TWO).model_copy(update={"window": with_hours(0, 23)})
    assert effect_of(narrow, wide, LATER) == Effect(1, added=2)


def test_hours_that_are_narrower_by_now_take_reminders_away() -> None:
    held = visit(EARLY_VISIT)
    narrow = policy(Lead(hours=48), TWO).model_copy(update={"window": with_hours(9, 10)})
    assert effect_of(held, narrow, LATER) == Effect(1, removed=2)


def test_what_could_not_leave_and_is_past_by_now_is_not_gained() -> None:
    """Widened an hour before the visit, the hours would have let its 2 h reminder leave; its moment is past."""
    held = visit(EARLY_VISIT)
    narrow = held.model_copy(update={"policy": held.policy.model_copy(update={"window": with_hours(9, 12)})})
    now = EARLY_VISIT - HOUR
    wide = policy(TWO, since=now).model_copy(update={"window": with_hours(0, 23)})
    assert effect_of(narrow, wide, now) == Effect(1)


def test_what_is_past_by_now_takes_no_reminder_with_it() -> None:
    """The 14 h reminder was impossible, and is past by now: the 12 h one, moved to after it, leaves instead."""
    held = visit(START)
    rules = tuple(
        ReminderRule(slug=f"{hours}h", lead_hours=hours, in_force_since=NOW - timedelta(days=1)) for hours in (14, 12)
    )
    shut = held.policy.model_copy(update={"rules": rules, "window": with_hours(8, 8)})
    now = START - timedelta(hours=13, minutes=45)
    one = ReminderRule(slug="1h", lead_hours=1, in_force_since=now)
    wide = shut.model_copy(update={"rules": (*rules, one), "window": with_hours(7, 21)})
    assert effect_of(held.model_copy(update={"policy": shut}), wide, now) == Effect(1, added=2)


def test_what_has_left_already_is_neither_kept_nor_removed() -> None:
    """Three hours before the visit the 24 h reminder is gone: only the one of 2 h can still be lost."""
    now = START - 3 * HOUR
    assert effect_of(visit(), policy(since=now), now) == Effect(1, removed=1)


def test_a_visit_that_may_not_be_reminded_is_not_touched() -> None:
    assert not is_touched(visit(status=Status.PROPOSED), policy(WEEK).rules)
    assert effect_of(visit(status=Status.PENDING), policy(WEEK), LATER) == NOTHING


@pytest.mark.parametrize("bar", Bar)
def test_d44_nor_is_one_whose_patient_may_not_and_nothing_would_have_left(bar: Bar) -> None:
    barred = visit(barred=bar)
    assert effect_of(barred, policy(WEEK), LATER) == NOTHING
    assert would_have_left([barred]) == would_have_left([barred], in_force_since(policy(WEEK).rules, NOW)) == 0
    lifted = visit().model_copy(update={"version": 2, "ingest_time": START - 5 * HOUR})
    assert would_have_left([barred, lifted]) == 1


def versions(*moves: tuple[Status, datetime, datetime]) -> list[Appointment]:
    """Return the versions of a visit: status and start from when on."""
    found, known = [], None
    for number, (status, starts_at, at) in enumerate(moves):
        known = batch(known=known, now=at)
        order_ = command(f"e{number}", status=status, starts_at=starts_at, ends_at=None)
        known.take(order_ if number == 0 else change(f"e{number}", status, starts_at=starts_at))
        found.append(wire.decode(Appointment, appointment_changed(VISIT, known.versions[-1][1], EYE, None).value))
    return found


def test_b4_the_past_is_replayed_version_by_version() -> None:
    """Moved by a week after its first 24 h reminder had left, then cancelled before the second."""
    later = START + timedelta(days=7)
    past = versions(
        (Status.BOOKED, START, NOW),
        (Status.BOOKED, later, START - 5 * HOUR),
        (Status.CANCELLED, later, later - 23 * HOUR),
    )
    assert would_have_left(past) == 2
    ever = NOW - timedelta(days=400)
    assert would_have_left(past, in_force_since(policy(TWO).rules, ever)) == 0
    assert would_have_left(past, in_force_since(policy(Lead(hours=48), DAY).rules, ever)) == 4


@pytest.mark.parametrize("hours", range(1, 400, 13))
def test_the_counts_are_those_of_the_workers_own_planning(hours: int) -> None:
    """The same visit planned as the worker plans it, before and after."""
    held, wanted = visit(NOW + hours * HOUR), policy(Lead(days=9), Lead(hours=48), TWO)
    after = held.model_copy(update={"policy": wanted})
    old, new = ({r.reminder_id for r in plan(v) if r.reason is None and r.due > LATER} for v in (held, after))
    found = effect_of(held, wanted, LATER)
    assert (found.kept, found.added + found.moved, found.removed + found.moved) == (
        len(old & new),
        len(new - old),
        len(old - new),
    )
