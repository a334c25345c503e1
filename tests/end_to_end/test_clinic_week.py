"""A clinic's week in little: what really comes of it against what the demo's independent model of the rules expects."""

import re
from collections import Counter
from dataclasses import replace

from stack.demo import clearing, people
from stack.demo.attendance import statuses_at
from stack.demo.comparison import compare
from stack.demo.conditions import ORDINARY
from stack.demo.expectation import expect
from stack.demo.found import by_address
from stack.demo.installation import Installation
from stack.demo.let_in import with_the_desk
from stack.demo.play import Play
from stack.demo.run import found_of
from stack.demo.week import Week, write_week
from tests.support.examples import ROOT
from tests.support.practice import Practice
from tests.support.why import attend_why

CLINIC = people.CLINICS[0].code
OWN_STORIES = range(people.BY_PHONE, people.PATIENTS_PER_CLINIC)
"""Booked by phone, by email alone, without contact, all channels off, unknown, registered late, barred, and so on."""


def in_little(week: Week, mark: str) -> Week:
    """Return what some patients of one clinic have in a week, under ids of this test's own, no carrier refusing."""
    whom = [f"{CLINIC}-{index:03d}" for index in OWN_STORIES]
    whom += [clearing.name_of(f"{CLINIC}-{index:03d}") for index in clearing.STORIES]
    changes = [change for change in week.changes if change.appointment.startswith(tuple(whom))]
    patients = {change.patient for change in changes}

    def own(name: str) -> str:
        return f"{name}-{mark}"

    return replace(
        week,
        patients={own(name): replace(week.patients[name], id=own(name)) for name in patients},
        providers={own(key): name for key, name in week.providers.items()},
        changes=tuple(
            replace(
                change,
                event_id=own(change.event_id),
                appointment=own(change.appointment),
                patient=own(change.patient),
                provider=change.provider and own(change.provider),
            )
            for change in changes
        ),
        registrations=tuple(
            replace(one, patient=own(one.patient)) for one in week.registrations if one.patient in patients
        ),
        conditions=ORDINARY,
        acts=tuple(replace(act, appointment=own(act.appointment)) for act in week.acts),
        history=(),
    )


async def test_what_comes_of_a_clinics_week_is_what_the_model_expects(
    practice: Practice, running: Installation
) -> None:
    mark = practice.mark()
    week = in_little(write_week(seed=7, after=practice.now.date()), mark)
    play, before = Play(practice.client, week), by_address(await practice.client.accepted())
    await practice.pass_until(week.opens_at)
    await play.enter_clinics()
    await play.register()
    await practice.driver.run_until(week.ends_at, play.actions())
    await play.learn_strangers()

    expected, found = expect(week, week.ends_at), await found_of(practice.client, week, play)
    expected.visits = statuses_at(with_the_desk(week.changes, week.acts), week.ends_at)
    addresses = {address for one in week.patients.values() for address in (one.mobile, one.email)}
    sent = found.messages - before
    found.messages = Counter({told: count for told, count in sent.items() if told[1] in addresses})

    assert play.surprises == []
    assert [row for row in compare(expected, found) if not row.agrees] == []
    skipped = {why for _, kind, outcome, why in found.news if (kind, outcome) == ("today", "skipped")}
    assert skipped >= {"ALREADY_TOLD", "DO_NOT_CONTACT", "NO_CONSENT"}
    assert {why for _, kind, _, why in found.news if kind == "clearance-missing"} == {"sms", "email"}
    assert {what for _, what, _ in found.check_ins} == {"let in", "refused", "overridden", "reported"}
    for told, index in zip(
        told_on_the_page(), (clearing.IN_TIME, clearing.OVERRIDDEN, clearing.WITHDRAWS), strict=True
    ):
        visit = f"{clearing.name_of(f'{CLINIC}-{index:03d}')}-{mark}"
        code, lines = await attend_why(running, play.names.appointments[visit])
        assert code == 0
        assert entries("\n".join(lines)) == entries(told)


def told_on_the_page() -> list[str]:
    """Return the timelines that the page of clearances shows, as `attend why` printed them."""
    page = (ROOT / "docs/booking/clearances.md").read_text()
    blocks = re.findall(r"^```\w*\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return [block for block in blocks if block.startswith("Appointment ")]


def entries(told: str) -> Counter[tuple[str, ...]]:
    """Return who and what of a timeline, with what lacks; without what two runs may have otherwise.

    That is days, times of the day (24 hours before are another one where clocks change), numbers of files, and which
    of a patient's visits of one minute opened his.
    """
    lacks = [("", line) for line in told.splitlines() if line.startswith(("Before check-in", "Let in"))]
    without = re.sub(r"\d{4}-\d\d-\d\d |FILE-\d{4}-\d{6}|; an earlier visit opened it", "", told)
    without = re.sub(r"(?<![\d:])\d\d:\d\d(?![\d:])", "hh:mm", without)
    return Counter([*re.findall(r"^ *\d\d:\d\d:\d\d  (\w+) +(.+?)(?:  .*)?$", without, re.MULTILINE), *lacks])
