"""The demo's profiles make of its messages and its file what the script means."""

from dataclasses import replace

import pytest

from booking.appointments.domain.command import BookAppointment
from booking.door.domain import ALL, Client
from booking.formats.hl7v2.format import Hl7V2
from booking.formats.port import Hints
from booking.formats.separated.format import SeparatedValues
from booking.profiles.current import Profiles
from booking.profiles.domain import Profile
from booking.values.refusals import Refused
from schemas.appointments import IngestMode
from stack.commands.source_files import read
from stack.demo import hl7
from stack.demo.changes import Change
from stack.demo.commands import PROFILES
from stack.demo.history import as_csv
from stack.demo.people import HARBOR_HIS, LOCAL
from tests.support.booking.builders import of_visits
from tests.unit.demo.test_feeds import BY_HL7, WEEK


def hints_of(source: str) -> Hints:
    file = read(PROFILES / f"{source}.yaml")
    assert file.source == source
    profiles = Profiles.fixed({source: Profile.model_validate(dict(file.profile))})
    client = Client(source, (source,), (ALL,), may_register=True)
    return replace(Hints(client, WEEK.opens_at), profiles=profiles)


def meaning(found: BookAppointment | Refused) -> tuple[object, ...]:
    assert isinstance(found, BookAppointment), found
    return found.appointment, found.patient, found.clinic, found.starts_at, found.ends_at, found.provider


def meant(change: Change, name: str) -> tuple[object, ...]:
    return name, change.patient, change.clinic, change.start, change.start + change.length, change.provider


@pytest.mark.parametrize("change", BY_HL7, ids=lambda change: change.event_id)
def test_a_message_is_read_as_the_change_it_is(change: Change) -> None:
    patient, name = WEEK.patients[change.patient], WEEK.providers.get(change.provider or "")

    [found] = Hl7V2().parse(hl7.of_visit(change, patient, name).encode(), hints_of(HARBOR_HIS)).commands

    expected = meant(change, f"filler|{change.appointment}")
    assert isinstance(found, BookAppointment)
    assert meaning(found)[:4] == expected[:4]
    assert (found.ends_at, found.status) == (expected[4], change.status)
    assert (found.occurred_at, found.mode) == (change.written_at or change.at, IngestMode.LIVE)
    assert found.warnings == ()


def test_the_file_is_read_as_the_history_it_is() -> None:
    body = as_csv(WEEK.history).encode()

    found = of_visits(SeparatedValues().parse(body, hints_of(LOCAL)))

    assert [meaning(one) for one in found] == [meant(one, one.appointment) for one in WEEK.history]
    assert [one.status for one in found if isinstance(one, BookAppointment)] == [one.status for one in WEEK.history]
