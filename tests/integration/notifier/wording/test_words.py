"""A clinic's own sender and words, and calendar entries that follow the visit, on real parts."""

from datetime import timedelta
from email import message_from_string, policy
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar

from chassis.process.errors import Misconfigured
from notifier.gate.domain.visit import Details
from notifier.gate.store import read_gate
from schemas.appointments import Status
from tests.support.notifier.bookings_tables import MONDAY
from tests.support.notifier.running import RunningNotifier

pytestmark = pytest.mark.integration


def entry(body: str) -> Any:
    mail: Any = message_from_string(body, policy=policy.default)
    [attached] = list(mail.iter_attachments())
    calendar = Calendar.from_ical(attached.get_content())
    event: Any
    [event] = calendar.walk("VEVENT")
    return str(calendar["METHOD"]), str(event["UID"]), int(event["SEQUENCE"]), event["DTSTART"].dt


async def test_a_clinic_writes_under_its_own_address_in_its_own_words(
    notifier: RunningNotifier, tmp_path: Path
) -> None:
    senders, words = tmp_path / "senders.toml", tmp_path / "words"
    senders.write_text('[clinics.NORTH]\nmail_from = "desk@north.example"\nmail_reply_to = "answers@north.example"\n')
    own = words / "clinics" / "NORTH" / "en"
    own.mkdir(parents=True)
    (own / "confirmation.subject.txt.j2").write_text("See you on {{ short_date }}")
    patient = await notifier.patient()
    await notifier.start(senders=senders, templates=words)
    visit = await notifier.book(patient)

    await notifier.settled(visit, "confirmation", "accepted")

    [taken] = notifier.carriers.to(await notifier.address(patient, "email"))
    mail: Any = message_from_string(taken.body, policy=policy.default)
    assert mail["From"] == "Clinic NORTH <desk@north.example>"
    assert mail["Reply-To"] == "answers@north.example"
    assert mail["Message-ID"].endswith("@north.example>")
    assert mail["Subject"] == "See you on Wed 3 Mar"


async def test_d34_a_move_and_a_cancellation_reach_the_entry_that_the_confirmation_made(
    notifier: RunningNotifier,
) -> None:
    patient = await notifier.patient()
    await notifier.start()
    visit = await notifier.book(patient)
    await notifier.settled(visit, "confirmation", "accepted")
    later = MONDAY + timedelta(days=3)
    moved = await notifier.change(visit, starts_at=later, ends_at=later + timedelta(minutes=30), schedule_gen=2)
    await notifier.settled(visit, "moved", "accepted")
    await notifier.change(moved, status=Status.CANCELLED)
    await notifier.settled(visit, "cancelled", "queued")
    notifier.step(timedelta(minutes=2))

    await notifier.settled(visit, "cancelled", "accepted")

    entries = [entry(taken.body) for taken in notifier.carriers.to(await notifier.address(patient, "email"))]
    assert [method for method, *_ in entries] == ["REQUEST", "REQUEST", "CANCEL"]
    assert {uid for _, uid, *_ in entries} == {f"{visit.appointment_id}@attend"}
    assert [sequence for _, _, sequence, _ in entries] == [1, 2, 3]
    assert [start for *_, start in entries] == [visit.starts_at, moved.starts_at, moved.starts_at]


async def test_d34_a_visit_that_became_somebody_elses_leaves_the_calendar_of_whose_it_was(
    notifier: RunningNotifier,
) -> None:
    ann, ben = await notifier.patient(), await notifier.patient()
    await notifier.start()
    visit = await notifier.book(ann)
    await notifier.settled(visit, "confirmation", "accepted")

    await notifier.change(visit, patient_id=ben, starts_at=MONDAY + timedelta(days=3))
    await notifier.settled(visit, "cancelled", "queued")
    notifier.step(timedelta(minutes=2))
    await notifier.settled(visit, "cancelled", "accepted")

    hers, his = [
        [entry(taken.body) for taken in notifier.carriers.to(await notifier.address(patient, "email"))]
        for patient in (ann, ben)
    ]
    uid = f"{visit.appointment_id}@attend"
    assert hers == [("REQUEST", uid, 1, visit.starts_at), ("CANCEL", uid, 2, visit.starts_at)]
    assert [(method, sequence) for method, _, sequence, _ in his] == [("REQUEST", 2)]


DETAILS = """
INSERT INTO clinic_details (clinic_id, details, services)
SELECT clinic_id, '{"phone": "+442079460018", "address": "1 Long Street"}',
       '{"Physiotherapy": {"address": "Basement", "preparation": "No metal.\\nBe early."}}'
FROM clinic"""


async def test_a_message_says_how_the_visits_service_is_reached_as_it_is_when_it_leaves(
    notifier: RunningNotifier,
) -> None:
    patient = await notifier.patient()
    await notifier.start()
    await notifier.execute(DETAILS)
    visit = await notifier.book(patient)
    await notifier.settled(visit, "confirmation", "accepted")
    await notifier.execute("""UPDATE clinic_details SET details = '{"phone": "+442079460777"}'""")
    await notifier.due(visit)
    await notifier.settled(visit, "reminder", "accepted")

    [mail] = notifier.carriers.to(await notifier.address(patient, "email"))
    [sms] = notifier.carriers.to(await notifier.address(patient, "mobile"))
    text: Any = message_from_string(mail.body, policy=policy.default).get_body(("plain",))
    said = text.get_content().replace("\r\n", "\n")
    assert "please call us on +44 20 7946 0018." in said
    assert "    Basement\n\nNo metal.\nBe early.\n" in said
    assert "1 Long Street" not in said
    assert "please call +44 20 7946 0777." in sms.body
    async with notifier.pool.transaction() as connection:
        [seen] = (await read_gate(connection, [visit.appointment_id])).values()
    assert seen.clinic_country == "GB"
    assert seen.clinic_details == Details("+442079460777", "Basement", "", "No metal.\nBe early.")


@pytest.mark.parametrize(
    ("setting", "content", "place"),
    [("senders", "[clinics.NORTH]\nsmtp_port = 0\n", "smtp_port"), ("templates", None, "no folder of templates")],
)
async def test_what_cannot_be_ends_the_start(
    notifier: RunningNotifier, tmp_path: Path, setting: str, content: str | None, place: str
) -> None:
    path = tmp_path / "given"
    if content is not None:
        path.write_text(content)

    with pytest.raises(Misconfigured, match=place):
        await notifier.start(lanes=(), **{setting: path})  # type: ignore[arg-type]  # one setting by its name
