"""The script of the clinic week: who books, moves and cancels, and when. Pure, and the same for the same seed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from stack.demo import clearing, history, people
from stack.demo.calendar import first_day, local
from stack.demo.changes import Change, NewNumber, Registration
from stack.demo.clearing import Act
from stack.demo.conditions import ORDINARY, Conditions, conditions_of
from stack.demo.people import CLINICS, Clinic, Patient

DESK_OPENS = time(8, 30)
"""Half past, so that no change meets a reminder's instant: those fall on full hours."""

SLOTS = (time(9), time(11), time(13), time(15))
AT_HALF_PAST_SEVEN = time(7, 30)
ODD = {people.AT_SIX: time(6), people.AT_TEN_IN_THE_EVENING: time(22)}
VISIT_DAYS = range(1, 6)
UNKNOWN_PROVIDER = "dr-nobody-knows"
WRITTEN = {"THAMES": "offset", "HARBOR": "wall", "SAKURA": "wall"}
OTHER_AREA = "+1332"
"""Where a mobile is from that takes another's place."""


@dataclass(frozen=True, slots=True)
class Week:
    """The whole input of the demo.

    Attributes:
        changes: What upstream says.
        acts: What the desk of the clinic that enforces says and does, ascending.
        history: What one clinic's file says of the years before, imported when the week opens.
    """

    day0: date
    opens_at: datetime
    ends_at: datetime
    patients: dict[str, Patient]
    providers: dict[str, str]
    changes: tuple[Change, ...]
    registrations: tuple[Registration, ...]
    conditions: Conditions = ORDINARY
    acts: tuple[Act, ...] = ()
    history: tuple[Change, ...] = ()

    def instants(self) -> tuple[datetime, ...]:
        """Return the instants at which something is posted, ascending."""
        told = (*self.changes, *self.registrations, *self.acts, *self.conditions.new_numbers)
        return tuple(sorted({one.at for one in told}))


def write_week(seed: int, after: date) -> Week:
    """Return the week that begins before the next change of clocks after `after`."""
    day0 = first_day([clinic.zone for clinic in CLINICS], after)
    everyone = people.patients(seed)
    desks = [_Desk(clinic, day0, everyone) for clinic in CLINICS]
    enforces = next(desk for desk in desks if desk.clinic.code == clearing.CLINIC)
    changes = [*(change for desk in desks for change in desk.changes()), *enforces.to_clear()]
    opens_at = local(day0 - timedelta(days=1), time(20), "UTC")
    late = tuple(Registration(desk.opens(2), everyone[desk.clinic.code][people.REGISTERED_LATE].id) for desk in desks)
    return Week(
        day0=day0,
        opens_at=opens_at,
        ends_at=local(day0 + timedelta(days=VISIT_DAYS.stop), time(0), "UTC"),
        patients={patient.id: patient for group in everyone.values() for patient in group},
        providers={key: name for clinic in CLINICS for key, name in people.providers(clinic)},
        changes=tuple(sorted(changes, key=lambda change: change.at)),
        registrations=late,
        conditions=replace(conditions_of(day0, everyone), new_numbers=tuple(_new_numbers(desks))),
        acts=tuple(sorted(enforces.acts(), key=lambda act: act.at)),
        history=tuple(past for desk in desks for past in desk.history(opens_at)),
    )


def _new_numbers(desks: Iterable["_Desk"]) -> Iterator[NewNumber]:
    for desk in (desk for desk in desks if desk.clinic.code in people.BY_MLLP):
        for index in people.NEW_NUMBER:
            patient = desk.everyone[desk.clinic.code][index]
            assert patient.mobile  # noqa: S101  # of the script itself
            yield NewNumber(desk.opens(1), patient.id, OTHER_AREA + patient.mobile[len(OTHER_AREA) :])


@dataclass(frozen=True, slots=True)
class _Desk:
    """One clinic's front desk, and what it enters when it opens on each day."""

    clinic: Clinic
    day0: date
    everyone: dict[str, tuple[Patient, ...]]

    def changes(self) -> Iterator[Change]:
        first = [self.booking(index) for index in range(people.PATIENTS_PER_CLINIC)]
        stories = {70: self.proposed, 71: self.from_waitlist, 72: self.cancel_before_book}
        for index, booking in enumerate(first):
            yield from stories[index](booking) if index in stories else self.story(index, booking)
        yield from self.second_visits()
        yield self.by_phone(first[people.BY_PHONE])
        yield from (replace(one, at=self.opens(1), written_at=one.at, answer="repeat") for one in first[:5])

    def story(self, index: int, booking: Change) -> Iterator[Change]:
        yield booking
        if 20 <= index < 40:
            yield self.moved(index, booking)
        elif index == people.REBOOKED:
            yield from self.rebooked(booking)
        elif 40 <= index < 60:
            yield booking.then(self.day_of(booking, early=index % 2 == 0), "cancelled", status="cancelled")
        elif index == 73:
            yield booking.then(self.opens(1), "confirmed", confirmed=True)
        elif index == 74:
            yield booking.then(self.opens(1), "other-provider", provider=people.providers(self.clinic)[0][0])
        elif 75 <= index < 79:
            yield booking.then(self.day_of(booking, early=False), "arrived", status="arrived")
        elif index == people.MISSED and self.clinic.code in people.BY_MLLP:
            yield booking.then(booking.start + booking.length, "missed", status="noshow")

    def history(self, at: datetime) -> Iterator[Change]:
        """Yield the visits of years past, of a clinic that has a file of them."""
        if self.clinic.speaks == "csv, then events":
            yield from history.past_visits(self.clinic, map(self.booking, history.WHOM), at)

    def booking(self, index: int, day: int | None = None) -> Change:
        patient = self.everyone[self.clinic.code][index]
        visit_day = VISIT_DAYS[index % len(VISIT_DAYS)] if day is None else day
        known = people.providers(self.clinic)[index % 3][0]
        return Change(
            at=self.opens(0),
            event_id=f"{self.clinic.code}-{index:03d}:booked",
            appointment=f"{self.clinic.code}-{index:03d}",
            status="booked",
            patient=patient.id,
            clinic=self.clinic.code,
            zone=self.clinic.zone,
            start=self.slot(visit_day, ODD.get(index, SLOTS[index // len(VISIT_DAYS) % len(SLOTS)])),
            provider={97: UNKNOWN_PROVIDER, 98: None}.get(index, known),
            posted_as=WRITTEN[self.clinic.code],  # type: ignore[arg-type]  # a literal of the table above
        )

    def second_visits(self) -> Iterator[Change]:
        """Yield second visits (0 to 9 here, 10 to 19 at the next clinic) and bookings at short notice (60 to 67)."""
        for index in range(20):
            again = self.booking(index, day=VISIT_DAYS[(index + 2) % len(VISIT_DAYS)])
            name = f"{self.clinic.code}-{index:03d}-B"
            yield replace(
                again if index < 10 else self.elsewhere(again, index), appointment=name, event_id=f"{name}:booked"
            )
        for index in range(60, 68):
            day = 1 + index % 4
            name = f"{self.clinic.code}-{index:03d}-SHORT"
            start = self.slot(day, SLOTS[3] if index < 65 else SLOTS[0])
            yield replace(
                self.booking(index), at=self.opens(day), appointment=name, event_id=f"{name}:booked", start=start
            )

    def to_clear(self) -> Iterator[Change]:
        """Yield further visits of a service that has to be cleared, and that their patients come."""
        for index in clearing.STORIES:
            booking = clearing.visit_of(self.booking(index, day=_day_to_clear(index)))
            yield booking
            yield clearing.comes(index, booking, self.day_of(booking, early=False))

    def acts(self) -> Iterator[Act]:
        for index in clearing.STORIES:
            booking = clearing.visit_of(self.booking(index))
            yield from clearing.acts_of(index, booking.appointment, self.opens, _day_to_clear(index))

    def rebooked(self, booking: Change) -> Iterator[Change]:
        """Yield a cancellation and, in the same minute, another visit in its place: one move to the patient (D37)."""
        at = self.day_of(booking, early=True)
        name, start = f"{booking.appointment}-AGAIN", self.slot(VISIT_DAYS[-1], SLOTS[3])
        assert start != booking.start  # noqa: S101  # of the script itself
        yield booking.then(at, "cancelled", status="cancelled")
        yield replace(booking, at=at, appointment=name, event_id=f"{name}:booked", start=start)

    def by_phone(self, booking: Change) -> Change:
        """Return a visit at 9:00, booked by phone at 7:30 of its day: too late to be reminded (D14), so at 8:00."""
        day = self.day0 + timedelta(days=2)
        name = f"{booking.appointment}-PHONE"
        at = local(day, AT_HALF_PAST_SEVEN, self.clinic.zone)
        return replace(booking, at=at, appointment=name, event_id=f"{name}:booked", start=self.slot(2, SLOTS[0]))

    def elsewhere(self, booking: Change, index: int) -> Change:
        """Return it at the next clinic that knows the patient by the same id, which may be this one."""
        known = [clinic for clinic in CLINICS if clinic.source == self.clinic.source]
        there = known[(known.index(self.clinic) + 1) % len(known)]
        desk = _Desk(there, self.day0, self.everyone)
        return replace(desk.booking(index, day=VISIT_DAYS[(index + 2) % len(VISIT_DAYS)]), patient=booking.patient)

    def moved(self, index: int, booking: Change) -> Change:
        """Return a move to the next day's same slot, or to the last slot of the same day."""
        day = self.visit_day(booking)
        start = self.slot(day + 1, SLOTS[index % 4]) if day < VISIT_DAYS[-1] else self.slot(day, SLOTS[3])
        start = start if start != booking.start else self.slot(day, SLOTS[2])
        return booking.then(self.day_of(booking, early=index % 2 == 0), "moved", start=start)

    def proposed(self, booking: Change) -> Iterator[Change]:
        yield replace(booking, status="pending" if self.clinic.code in people.BY_MLLP else "proposed")

    def from_waitlist(self, booking: Change) -> Iterator[Change]:
        later = replace(booking, start=self.slot(4, SLOTS[1]))
        yield replace(later, status="waitlist", event_id=f"{booking.appointment}:waitlist")
        yield replace(later, at=self.opens(1))

    def cancel_before_book(self, booking: Change) -> Iterator[Change]:
        yield replace(
            booking,
            status="cancelled",
            event_id=f"{booking.appointment}:cancelled",
            sequence=2,
            answer="tombstone",
        )
        before = booking.at - timedelta(hours=1)
        yield replace(booking, at=self.opens(1), written_at=before, sequence=1, answer="stale")

    def opens(self, day: int) -> datetime:
        return local(self.day0 + timedelta(days=day), DESK_OPENS, self.clinic.zone)

    def slot(self, day: int, at: time) -> datetime:
        return local(self.day0 + timedelta(days=day), at, self.clinic.zone)

    def visit_day(self, booking: Change) -> int:
        return next(day for day in VISIT_DAYS if self.slot(day, time(0)) <= booking.start < self.slot(day + 1, time(0)))

    def day_of(self, booking: Change, *, early: bool) -> datetime:
        """Return when the desk opens on the visit's day, or on the day before (but after day 0)."""
        day = self.visit_day(booking)
        return self.opens(max(1, day - 1) if early else day)


def _day_to_clear(index: int) -> int:
    return VISIT_DAYS[(index + 4) % len(VISIT_DAYS)]
