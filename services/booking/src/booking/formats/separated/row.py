"""From one row to the command that it stands for."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.statuses import NEEDS_NO_START
from booking.formats.separated import times
from booking.formats.separated.sheet import Row, Sheet
from booking.formats.separated.trail import note_places
from booking.formats.separated.wishes import wish_of
from booking.formats.status_words import folded, word_of
from booking.patients.domain.details import Addresses, PersonDetails
from booking.profiles.csv_knobs import Column
from booking.profiles.domain import Word
from booking.values import identity, texts
from booking.values.refusals import IGNORED_MESSAGE, Refused
from booking.values.trail import Trail
from booking.values.unset import UNSET, Maybe
from booking.values.warned import Details
from schemas.appointments import NOT_YET_BOOKED, IngestMode, Status

_STATUSES: Mapping[Word, Status] = {
    Word.PENDING: Status.PENDING,
    Word.WAITLIST: Status.WAITLIST,
    Word.BOOKED: Status.BOOKED,
    Word.CONFIRMED: Status.BOOKED,
    Word.ARRIVED: Status.ARRIVED,
    Word.STARTED: Status.CHECKED_IN,
    Word.COMPLETE: Status.FULFILLED,
    Word.CANCELLED: Status.CANCELLED,
    Word.DELETED: Status.ENTERED_IN_ERROR,
    Word.NO_SHOW: Status.NOSHOW,
}
_A_DAY, _LONGEST_NIGHT = timedelta(days=1), timedelta(hours=12)
_STARTS = (Column.START, Column.START_DATE, Column.START_TIME)
_STAND = tuple(status for status in Status if status not in NOT_YET_BOOKED)
_LETTER = re.compile(r"[^\W\d_]")


def key_of(source: str, cells: Sequence[str]) -> tuple[str, bytes]:
    """Return which event a row is, and the hash of what it says: the same row again is the same event."""
    digest = sha256("\0".join((source, *cells)).encode("utf-8", "surrogatepass"))
    return f"row:{digest.hexdigest()}", digest.digest()


def command(cells: Sequence[str], sheet: Sheet, trail: Trail | None = None) -> BookAppointment:
    """Return the command that a row stands for.

    Args:
        trail: Takes where its values came from; None: nobody asked.

    Raises:
        Refused: EMPTY_ROW, UNKNOWN_STATUS, IGNORED_MESSAGE, PATIENT_REQUIRED, START_REQUIRED, UNKNOWN_VALUE, or an
            id or the start of a visit that stands cannot be read.
    """
    if not any(cell.strip() for cell in cells):
        raise Refused("EMPTY_ROW", "nothing is in this row")
    row, details = Row(cells, sheet), Details(trail=trail)
    place = row.text(Column.CLINIC)
    is_code = identity.is_clinic_code(place)
    if is_code:
        row.sheet = sheet = sheet.at(place)
    if trail is not None:
        note_places(row.text, sheet.profile, sheet.walls.zone, details)
    word = _word(row)
    status = _STATUSES[word or Word.BOOKED]
    key, digest = key_of(sheet.source, cells)
    patient = _patient(row)
    starts_at = details.read(UNSET, _start, row, details) if status in NEEDS_NO_START else _start(row, details)
    return BookAppointment(
        client=sheet.client,
        key=key,
        body_sha256=digest,
        source=sheet.source,
        appointment=_name(row, patient, starts_at, place),
        status=status,
        keeps=_STAND if word is None else (),
        confirmed=_confirmed(row, word, details),
        mode=IngestMode.BACKFILL if status is Status.NOSHOW else sheet.profile.mode,
        occurred_at=_changed_at(row, details),
        patient=patient,
        person=_person(row),
        clinic=place if is_code else None if place else sheet.clinic,
        clinic_identifiers=((Column.CLINIC.value, place),) if place and not is_code else (),
        clinic_otherwise=sheet.clinic,
        provider=_provider(row, details),
        provider_name=_detail(row, Column.PROVIDER_NAME, details),
        service_type=_detail(row, Column.SERVICE_TYPE, details) or UNSET,
        starts_at=starts_at,
        ends_at=details.read(UNSET, _end, row, starts_at, details) if isinstance(starts_at, datetime) else UNSET,
        warnings=tuple(details.warnings),
    )


def _word(row: Row) -> Word | None:
    """Return the class of the row's status: what its column of yes and no says comes before its word."""
    cancelled = row.text(Column.CANCELLED)
    if cancelled.casefold() in row.sheet.yes or times.is_day(cancelled):
        return Word.CANCELLED
    if _is_no_show(row):
        return Word.NO_SHOW
    column = Column.STATUS if cancelled.casefold() in row.sheet.no else Column.CANCELLED
    text = row.text(column)
    word = row.sheet.words.get(folded(text)) if text else None
    if word is None:
        word, is_strange = word_of((text,), {})
        if is_strange:
            raise Refused("UNKNOWN_STATUS", "a word of no class: give it one in the profile (csv.words)", column)
    if word is Word.BLOCKED:
        raise Refused(IGNORED_MESSAGE, "a slot that is blocked is nobody's visit: nothing is to be done", column)
    return word


def _is_no_show(row: Row) -> bool:
    said = row.text(Column.NO_SHOW).casefold()
    if said not in row.sheet.yes | row.sheet.no:
        raise Refused("UNKNOWN_VALUE", "neither yes nor no: see csv.true_words of the profile", Column.NO_SHOW)
    return said in row.sheet.yes


def _confirmed(row: Row, word: Word | None, details: Details) -> Maybe[bool]:
    if word is Word.CONFIRMED:
        return True
    said = row.text(Column.CONFIRMED).casefold()
    if said in row.sheet.yes:
        return True
    if said in row.sheet.no:
        return False if said else UNSET

    def strange() -> bool:
        raise Refused("UNKNOWN_VALUE", "neither yes nor no: see csv.true_words of the profile", Column.CONFIRMED)

    return details.read(UNSET, strange)


def _start(row: Row, details: Details) -> datetime:
    found = _instant(row, (Column.START, Column.START_DATE), Column.START_TIME, details)
    if found is None:
        text = "no start is in this row" if _has(row, _STARTS) else "no column is known as the start: name it"
        raise Refused("START_REQUIRED", f"{text} (csv.columns.start of the source's profile)", Column.START)
    return found


def _has(row: Row, columns: Sequence[Column]) -> bool:
    return any(column in row.sheet.places for column in columns)


def _instant(row: Row, days: Sequence[Column], hours: Column, details: Details) -> datetime | None:
    """Return an instant that is in one column, or in one for the day and one for the hour; None: it is in none."""
    walls, warnings = row.sheet.walls, details.warnings
    day = next((column for column in days if row.text(column)), None)
    hour = row.text(hours)
    if day is None:
        return times.instant(hour, walls, hours, warnings) if hour else None
    written = row.text(day)
    if not hour or (day is Column.START and times.has_hour(written, walls, day)):
        return times.instant(written, walls, day, warnings)
    return times.of_parts(written, hour, walls, (day, hours), warnings)


def _end(row: Row, start: datetime, details: Details) -> datetime:
    knobs, walls = row.sheet.knobs, row.sheet.walls
    day, hour = row.text(Column.END), row.text(Column.END_TIME)
    if day and (not hour or times.has_hour(day, walls, Column.END)):
        return times.instant(day, walls, Column.END, details.warnings)
    if hour and (day or not times.has_day(hour, walls, Column.END_TIME)):
        of_start = day or next(text for one in (*_STARTS[1:], Column.START) if (text := row.text(one)))
        found = times.of_parts(of_start, hour, walls, (Column.END, Column.END_TIME), details.warnings)
        is_after_midnight = not day and found <= start < found + _A_DAY <= start + _LONGEST_NIGHT
        return found + _A_DAY if is_after_midnight else found
    if hour:
        return times.instant(hour, walls, Column.END_TIME, details.warnings)
    if written := row.text(Column.DURATION):
        return start + times.length_of(written, knobs, Column.DURATION)
    return start + timedelta(minutes=knobs.default_minutes)


def _changed_at(row: Row, details: Details) -> datetime | None:
    written = row.text(Column.CHANGED_AT)
    if not written:
        return None
    return details.read(None, times.instant, written, row.sheet.walls, Column.CHANGED_AT, details.warnings)


def _patient(row: Row) -> str:
    """Return who the patient is: his id, else what is said of him, hashed."""
    if said := row.identifier(Column.PATIENT_ID):
        return said
    if (said := row.text(Column.PATIENT_NAME)) and not _LETTER.search(said):
        return row.identifier(Column.PATIENT_NAME)
    addresses = [row.text(one) for one in (Column.MOBILE, Column.EMAIL)]
    if not any(addresses):
        text = "neither an id nor a number or address is in this row: which column is it (csv.columns of the profile)?"
        raise Refused("PATIENT_REQUIRED", text, Column.PATIENT_ID)
    return f"person|{_hash(*map(str.casefold, (*_called(row), *addresses)))}"


def _called(row: Row) -> tuple[str, str]:
    """Return the patient's given and family name, empty if nobody says; of a whole name by its comma or last word."""
    given, family = row.text(Column.GIVEN_NAME), row.text(Column.FAMILY_NAME)
    whole = row.text(Column.PATIENT_NAME)
    if given or family or not _LETTER.search(whole):
        return given, family
    if "," in whole:
        family, _, given = whole.partition(",")
    else:
        given, _, family = whole.rpartition(" ")
    return given.strip(), family.strip()


def _name(row: Row, patient: str, starts_at: Maybe[datetime], place: str) -> str:
    """Return the visit's id, else what names it, hashed."""
    if said := row.identifier(Column.APPOINTMENT_ID):
        return said
    if row.sheet.names:
        parts = [row.cells[index].strip() for index in row.sheet.names if index < len(row.cells)]
        if any(parts):
            return f"row|{_hash(*parts)}"
    if not isinstance(starts_at, datetime):
        raise Refused("START_REQUIRED", "a visit without an id is named by its start", Column.START)
    return f"row|{_hash(patient, starts_at.isoformat(), place)}"


def _hash(*parts: str) -> str:
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _person(row: Row) -> PersonDetails:
    profile = row.sheet.profile
    given, family = _called(row)
    numbers = (row.text(Column.MOBILE), row.text(Column.LANDLINE))
    wish = wish_of(row)
    return PersonDetails(
        given_name=given or None,
        family_name=family or None,
        own=Addresses(
            tuple(number for number in numbers if number and not wish.texts),
            tuple(email for email in (row.text(Column.EMAIL),) if email and not wish.mail),
        ),
        consent=False if wish.consent else None,
        do_not_contact=True if wish.contact else None,
        refuses_texts=wish.texts,
        refuses_mail=wish.mail,
        language=row.text(Column.LANGUAGE) or None,
        country=profile.country,
        language_otherwise=profile.language,
    )


def _provider(row: Row, details: Details) -> Maybe[str | None]:
    said = row.text(Column.PROVIDER_ID)
    return details.read(UNSET, texts.identifier, said, Column.PROVIDER_ID) if said else UNSET


def _detail(row: Row, column: Column, details: Details) -> str | None:
    said = row.text(column)
    return details.read(None, texts.name, said, column) if said else None
