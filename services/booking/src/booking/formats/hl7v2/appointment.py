"""From a message of SIU to the command that it stands for. The table of every field is in docs/booking/hl7v2.md."""

from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from booking.appointments.domain.command import BookAppointment
from booking.formats.hl7v2.names import patient_names, visit_names
from booking.formats.hl7v2.people import person_of
from booking.formats.hl7v2.resources import Visit, clinician_of, place_of
from booking.formats.hl7v2.segments import Message, Segment
from booking.formats.hl7v2.times import Times, instant
from booking.formats.hl7v2.trail import note_place, note_status
from booking.formats.hl7v2.words import TRIGGERS, Outcome, outcome
from booking.formats.status_words import word_of
from booking.profiles.domain import Extra, Hl7Profile, Meaning, Profile, Word
from booking.values import texts
from booking.values.kept_names import kept_names
from booking.values.refusals import IGNORED_MESSAGE, Refused
from booking.values.trail import Trail
from booking.values.unset import UNSET, Maybe
from booking.values.warned import HELD_BACK, UNKNOWN_WORD, WORD_DISAGREES, Details, Warned
from schemas.appointments import IngestMode, Status

_ENDS = frozenset({Meaning.CANCELLED, Meaning.STOPPED, Meaning.DELETED})
"""What may have a reason: elsewhere SCH-6 holds anything."""

_BROADCAST = "S27"
"""Names visits that are new as well as those that are known."""


class Ingress(NamedTuple):
    """How a message came.

    Attributes:
        key: Which event it is.
        zone: Of its times without offset; None: nobody knows it.
        clinic: Where it names none that is known.
        trail: Takes where its values came from; None: nobody asked.
    """

    client: str
    source: str
    key: str
    body_sha256: bytes
    zone: ZoneInfo | None
    now: datetime
    clinic: str | None = None
    trail: Trail | None = None


def command(message: Message, profile: Profile, ingress: Ingress) -> BookAppointment:
    """Return the command that a message of SIU stands for; details that cannot be kept are noted.

    Raises:
        Refused: UNSUPPORTED_EVENT, NO_SCH, NO_APPOINTMENT_ID, SEVERAL_PATIENTS, or the start of a visit that stands
            cannot be read. IGNORED_MESSAGE: it is of no visit, and there is nothing to do.
    """
    knobs, details, visit = profile.hl7v2, Details(message.warnings, ingress.trail), Visit(message)
    meaning, word = _meaning(message, knobs), _word(visit, knobs, details)
    if details.trail is not None:
        note_status(message, visit, knobs, details)
    person = _person(message, knobs, ingress, details)
    _check_not_ignored(meaning, word, has_patient=person is not None)
    names = visit_names(message, knobs.appointment, details)
    times = Times(visit, knobs.times, ingress.zone, details)
    starts_at = _start(times, meaning, word, details)
    found = _outcome(meaning, word, starts_at, ingress.now)
    patients = () if person is None else _names(person, knobs, ingress, details)
    _warn(found, profile, details)
    return _with_resources(visit, profile, ingress, details)._replace(
        client=ingress.client,
        key=ingress.key,
        body_sha256=ingress.body_sha256,
        source=ingress.source,
        appointment=names[0],
        other_names=names[1:],
        status=found.status,
        keeps=found.keeps,
        follows=meaning is not Meaning.BOOKED and message.trigger != _BROADCAST,
        confirmed=found.confirmed,
        agrees=not found.holds,
        mode=_mode(found, profile, details),
        occurred_at=_occurred_at(message, ingress, knobs, details),
        reason=_reason(visit, details) if meaning in _ENDS else None,
        patient=patients[0] if patients else None,
        patient_names=patients[1:],
        person=None if person is None else person_of(person, message, profile, details),
        starts_at=starts_at,
        read_in=_read_in(ingress, profile, times),
        ends_at=times.end(starts_at, is_new=meaning is Meaning.BOOKED) if isinstance(starts_at, datetime) else UNSET,
        warnings=tuple(details.warnings),
    )


def _read_in(ingress: Ingress, profile: Profile, times: Times) -> str | None:
    """Return the zone by which the start was read, if it is that of a clinic and nobody else says it."""
    return ingress.zone.key if ingress.zone and profile.zone is None and times.is_naive else None


def _meaning(message: Message, knobs: Hl7Profile) -> Meaning:
    found = knobs.events.get(message.trigger) or TRIGGERS.get(message.trigger)
    if found is None:
        text = "an event of scheduling from S12 to S27, or one to which the source's profile gives a meaning"
        raise Refused("UNSUPPORTED_EVENT", text, "MSH-9.2")
    return found


def _check_not_ignored(meaning: Meaning, word: Word | None, *, has_patient: bool) -> None:
    if meaning is Meaning.IGNORED or (word is Word.BLOCKED and not has_patient):
        raise Refused(IGNORED_MESSAGE, "a slot that is blocked or opened is nobody's visit: nothing is to be done", "")


def _word(visit: Visit, knobs: Hl7Profile, details: Details) -> Word | None:
    found, is_strange = word_of([visit.text(path) for path in knobs.status], knobs.words)
    if is_strange:
        details.warnings.append(Warned(UNKNOWN_WORD, knobs.status[0].partition(".")[0]))
    return found


def _outcome(meaning: Meaning, word: Word | None, starts_at: Maybe[datetime | None], now: datetime) -> Outcome:
    started = isinstance(starts_at, datetime) and starts_at <= now
    found = outcome(meaning, word, started=started)
    assert found is not None  # noqa: S101  # what is ignored was refused before
    return found


def _start(times: Times, meaning: Meaning, word: Word | None, details: Details) -> Maybe[datetime | None]:
    """Return the start, which is a detail of a visit that does not stand."""
    before = outcome(meaning, word, started=False)
    stands = before is not None and before.status is Status.BOOKED
    return times.start() if stands else details.read(UNSET, times.start)


def _warn(found: Outcome, profile: Profile, details: Details) -> None:
    if found.confirmed is not UNSET:
        details.took("confirmed", "", "", "by the word")
    if found.keeps:
        details.took("keeps", "", "", "a visit to which upstream gave one of these keeps it")
    if found.disagrees:
        details.warnings.append(Warned(WORD_DISAGREES, "SCH-25"))
    if found.holds and profile.mode is IngestMode.LIVE:
        details.warnings.append(Warned(HELD_BACK, "SCH-25"))


def _mode(found: Outcome, profile: Profile, details: Details) -> IngestMode:
    by_clock = found.status is Status.NOSHOW and profile.hl7v2.no_show_by_clock
    if by_clock:
        details.took("mode", "", "hl7v2.no_show_by_clock", "a no-show may be a clock's: nothing is sent")
    else:
        details.took("mode", "", "mode")
    return IngestMode.BACKFILL if by_clock else profile.mode


def _occurred_at(message: Message, ingress: Ingress, knobs: Hl7Profile, details: Details) -> datetime | None:
    """Return when the sender wrote the message; one that cannot be read says nothing, and arrival counts."""
    said = message.at("MSH-7")
    if isinstance(said, str):
        details.took("occurred_at", "MSH-7")
    return Details().read(None, instant, said, ingress.zone, "MSH-7", knobs.times) if isinstance(said, str) else None


def _reason(visit: Visit, details: Details) -> str | None:
    path = "SCH-6.2" if visit.text("SCH-6.2") else "SCH-6.1"
    text = visit.text(path)
    if text:
        details.took("reason", path)
    return details.read(None, texts.name, text, "SCH-6") if text else None


def _person(message: Message, knobs: Hl7Profile, ingress: Ingress, details: Details) -> Segment | None:
    """Return the one patient's PID; None if there is none."""
    found = message.all("PID")
    if len(found) > 1:
        known = {_names(one, knobs, ingress, details)[:1] for one in found}
        if len(known) > 1:
            raise Refused("SEVERAL_PATIENTS", "one appointment is one patient's: send one for each", "PID")
    return found[0] if found else None


def _names(person: Segment, knobs: Hl7Profile, ingress: Ingress, details: Details) -> tuple[str, ...]:
    return patient_names(person, knobs.patient, f"{ingress.now:%Y%m%d}", details)


def _with_resources(visit: Visit, profile: Profile, ingress: Ingress, details: Details) -> BookAppointment:
    """Return a command of which the clinician, place and service are said."""
    clinician = clinician_of(visit, profile.hl7v2.provider)
    provider: Maybe[str | None] = None if clinician is None else UNSET
    others: tuple[str, ...] = ()
    called = None
    if clinician is not None and clinician is not UNSET:
        kept = kept_names(clinician.names, details, profile.hl7v2.provider.fields[0])
        if kept:
            provider, others = kept[0], kept[1:]
        called = clinician.called
        details.took("provider", clinician.place, "hl7v2.provider.fields")
        if called is not None:
            details.took("provider_name", clinician.place)
    elif clinician is None:
        details.took("provider", "AIP-2", "", "whoever it was is taken away")
    place = place_of(visit, profile.hl7v2, ingress.clinic)
    if details.trail is not None:
        note_place(place, visit, profile, details)
    return _BLANK._replace(
        provider=provider,
        provider_names=others,
        provider_name=None if called is None else details.read(None, texts.name, called, "AIP-3"),
        service_type=_service(visit, profile.hl7v2, details),
        clinic=place.clinic,
        clinic_identifiers=place.identifiers,
        clinic_otherwise=place.otherwise,
    )


_BLANK = BookAppointment(client="", key="", body_sha256=b"", source="", appointment="", status=Status.BOOKED)


def _service(visit: Visit, knobs: Hl7Profile, details: Details) -> Maybe[str | None]:
    own = knobs.extra.get(Extra.SERVICE_TYPE)
    path, said = visit.first_said([*([own] if own else []), *knobs.service])
    if path is not None:
        details.took("service_type", path, "hl7v2.extra.service_type" if path == own else "hl7v2.service")
    return details.read(UNSET, texts.name, said, knobs.service[0]) if isinstance(said, str) else said
