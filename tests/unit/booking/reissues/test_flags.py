"""The story of a flag that changed, on a store that only remembers what it was told (D44)."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from booking.appointments.domain.state import AppointmentState
from booking.clinics.domain.clinic import ClinicState
from booking.reissues.handle import Job, reissue_barred
from booking.values.identity import PatientKey
from booking.work_list.domain import Flag
from schemas.appointments import Bar
from tests.support.booking.builders import ANN, EYE, NOW, VISIT, batch, command

BOB, OTHER = UUID(int=2), UUID(int=8)
LATER = NOW + timedelta(hours=1)


def held(patient: UUID = ANN) -> AppointmentState:
    taken = batch()
    taken.take(command())
    return taken.versions[0][1]._replace(patient=patient)


@dataclass
class Remembering:
    """`handle.FlagStore` that finds the visits it was given."""

    jobs: Sequence[Job]
    visits: dict[UUID, AppointmentState]
    bars: dict[PatientKey | None, Bar] = field(default_factory=dict)
    asked: list[Mapping[UUID, Bar | None]] = field(default_factory=list)
    written: dict[UUID, AppointmentState] = field(default_factory=dict)
    published: list[tuple[UUID, AppointmentState]] = field(default_factory=list)
    noted: list[Job] = field(default_factory=list)

    async def next_jobs(self, size: int) -> Sequence[Job]:
        return self.jobs[:size]

    async def barred(self, patients: Collection[PatientKey | None]) -> Mapping[PatientKey | None, Bar]:
        return {key: bar for key, bar in self.bars.items() if key in patients}

    async def outdated(self, patients: Mapping[UUID, Bar | None], now: datetime, size: int) -> Mapping[UUID, int]:
        self.asked.append(patients)
        return dict.fromkeys(sorted(self.visits)[:size], 1)

    async def lock(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, AppointmentState]:
        return {key: self.visits[key] for key in appointment_ids}

    async def note(self, jobs: Sequence[Job]) -> None:
        self.noted += jobs

    async def clinics(self, codes: Collection[str]) -> Mapping[str, ClinicState]:
        return dict.fromkeys(codes, EYE)

    async def write_appointments(self, states: Mapping[UUID, AppointmentState]) -> None:
        self.written |= states

    async def publish_versions(
        self,
        versions: Sequence[tuple[UUID, AppointmentState]],
        clinics: Mapping[str, ClinicState],
        flags: Sequence[Flag] = (),
    ) -> None:
        assert not flags
        self.published += versions


def job(number: int = 1, patient: UUID = ANN, caused_by: str = "local/registration", *, is_last: bool = True) -> Job:
    return Job(number, patient, caused_by, is_last)


def told(store: Remembering, size: int = 10) -> int | None:
    return asyncio.run(reissue_barred(store, size, LATER))


def test_without_a_job_nothing_is_asked() -> None:
    store = Remembering((), {VISIT: held()})
    assert told(store) is None
    assert (store.asked, store.noted, store.published) == ([], [], [])


def test_d44_a_visit_gets_its_next_version_on_the_same_schedule_with_the_cause_of_the_change() -> None:
    before = held()
    store = Remembering([job(caused_by="local/m2")], {VISIT: before}, {ANN: Bar.DECEASED})

    assert told(store) == 1

    after = before._replace(version=2, event_time=LATER, ingest_time=LATER, caused_by="local/m2", reason=None)
    assert (store.asked, store.written, store.published) == ([{ANN: Bar.DECEASED}], {VISIT: after}, [(VISIT, after)])


def test_d44_a_flag_taken_back_is_looked_after_too() -> None:
    store = Remembering([job()], {VISIT: held()})
    assert told(store) == 1
    assert store.asked == [{ANN: None}]


def test_d44_of_two_changes_of_one_patient_the_later_is_the_cause() -> None:
    store = Remembering([job(1, caused_by="first"), job(2, caused_by="second")], {VISIT: held()})
    told(store)
    assert store.written[VISIT].caused_by == "second"
    assert [one.job_id for one in store.noted] == [1, 2]


def test_d44_a_job_is_over_only_when_fewer_visits_were_found_than_asked_for() -> None:
    store = Remembering([job()], {VISIT: held(), OTHER: held()})
    assert told(store, size=2) == 2
    assert store.noted == []

    del store.visits[OTHER]
    assert told(store, size=2) == 1
    assert store.noted == [job()]


def test_d44_a_visit_that_changed_before_it_was_locked_says_what_is_so() -> None:
    store = Remembering([job()], {VISIT: held(), OTHER: held()._replace(version=2)}, {ANN: Bar.NO_CONSENT})
    assert told(store) == 1
    assert list(store.written) == [VISIT]


def test_d44_a_visit_whose_patient_was_merged_away_meanwhile_is_left_to_the_job_of_the_merge() -> None:
    store = Remembering([job()], {VISIT: held(), OTHER: held(BOB)}, {ANN: Bar.NO_CONSENT})
    assert told(store) == 1
    assert list(store.written) == [VISIT]
