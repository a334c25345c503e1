"""In which column each value of a row stands, for whoever asks."""

from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from booking.profiles.csv_knobs import Column, CsvProfile
from booking.profiles.domain import Profile
from booking.values.warned import Details

_COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "appointment": (Column.APPOINTMENT_ID,),
    "status": (Column.CANCELLED, Column.NO_SHOW, Column.STATUS),
    "confirmed": (Column.CONFIRMED,),
    "occurred_at": (Column.CHANGED_AT,),
    "starts_at": (Column.START, Column.START_DATE, Column.START_TIME),
    "ends_at": (Column.END, Column.END_TIME, Column.DURATION),
    "patient": (Column.PATIENT_ID, Column.PATIENT_NAME),
    "clinic": (Column.CLINIC,),
    "provider": (Column.PROVIDER_ID,),
    "provider_name": (Column.PROVIDER_NAME,),
    "service_type": (Column.SERVICE_TYPE,),
    "person.given_name": (Column.GIVEN_NAME, Column.PATIENT_NAME),
    "person.family_name": (Column.FAMILY_NAME, Column.PATIENT_NAME),
    "person.mobile": (Column.MOBILE, Column.LANDLINE, Column.MAY_TEXT, Column.DO_NOT_TEXT),
    "person.email": (Column.EMAIL, Column.MAY_EMAIL, Column.DO_NOT_EMAIL),
    "person.consent": (Column.CONSENT,),
    "person.do_not_contact": (Column.DO_NOT_CONTACT,),
    "person.language": (Column.LANGUAGE,),
}
"""Field of the command → the columns that may say it, best first."""

_OTHERWISE: Mapping[str, tuple[str, str]] = {
    "appointment": ("csv.id", "no id is said: a hash of what names the visit"),
    "status": ("", "no word is said: a visit that is not known is booked"),
    "ends_at": ("csv.default_minutes", "nobody says how long it is"),
    "patient": ("", "no id is said: a hash of name, number and address"),
    "clinic": ("clinic", "where none is said"),
}
"""Where no column says it."""


def note_places(text: Callable[[Column], str], profile: Profile, zone: ZoneInfo | None, details: Details) -> None:
    """Note where each value of a row stands.

    Args:
        text: What the row says, by column; empty: nothing.
        zone: Of times without offset.
    """
    knobs = profile.csv or CsvProfile()
    details.took("key", "", "", "a hash of the row")
    details.took("mode", "", "mode")
    for field, columns in _COLUMNS.items():
        said = [column for column in columns if text(column)]
        for column in said:
            rule = f"its column {knobs.columns[column]}" if column in knobs.columns else ""
            if field == "starts_at" and zone is not None:
                rule = "; ".join(filter(None, (rule, f"read in {zone} if it has no offset")))
            details.took(field, column.value, f"csv.columns.{column}", rule)
        if not said and field in _OTHERWISE:
            details.took(field, "", *_OTHERWISE[field])
    for knob, value in (("country", profile.country), ("language", profile.language)):
        if value is not None:
            details.took(f"person.{knob}", "", knob, "where nothing else says it")
    if not text(Column.STATUS) and not text(Column.CANCELLED):
        details.took("keeps", "", "", "no word is said: a visit that is known keeps what it is")
