"""Which column of a file is what: as the source's profile says, else by the names that exports give them."""

import re
from collections.abc import Mapping, Sequence

from booking.profiles.csv_knobs import Column, CsvProfile
from booking.values.refusals import Refused

_IGNORED = re.compile(r"[^a-z0-9]+")

_USUAL: Mapping[Column, str] = {
    Column.APPOINTMENT_ID: "appointmentid apptid apptguid appointmentguid",
    Column.STATUS: "status apptstatus appointmentstatus",
    Column.CONFIRMED: "confirmed schedconfirmed",
    Column.CANCELLED: "cancelled canceled schedcanceled",
    Column.START: "start startdatetime schedstartdate apptdatetime",
    Column.START_DATE: "startdate appointmentdate apptdate",
    Column.START_TIME: "starttime appointmenttime appttime",
    Column.END: "end enddatetime stopdatetime schedenddate",
    Column.DURATION: "duration apptlength schedduration",
    Column.CLINIC: "clinic cliniccode",
    Column.SERVICE_TYPE: "servicetype appttype appointmenttype",
    Column.PROVIDER_ID: "providerid providercode clinicianid",
    Column.PROVIDER_NAME: "providername clinicianname",
    Column.PATIENT_ID: "patientid mrn patientmrn patientaccountid patientnumber",
    Column.GIVEN_NAME: "givenname firstname",
    Column.FAMILY_NAME: "familyname lastname surname",
    Column.MOBILE: "mobile mobilephone cellphone",
    Column.LANDLINE: "landline homephone",
    Column.EMAIL: "email emailaddress",
    Column.LANGUAGE: "language preferredlanguage",
    Column.CHANGED_AT: "changedat modifiedat lastmodified updatedat",
}

USUAL_NAMES: Mapping[str, Column] = {name: column for column, names in _USUAL.items() for name in names.split()}
"""Folded name of a column → what is in it, where the profile names no column at all."""


def folded(name: str) -> str:
    """Return a column's name as it is compared: `Appointment Id`, `appointment_id` and `AppointmentId` are one."""
    return _IGNORED.sub("", name.casefold())


def places_of(header: Sequence[str] | None, knobs: CsvProfile) -> Mapping[Column, int]:
    """Return where each thing stands in a row, from 0.

    Args:
        header: The first line's names; None: it is a row as any other.

    Raises:
        Refused: UNKNOWN_COLUMN: a column that the profile names is not there. NO_COLUMNS: nothing says what is what.
    """
    if knobs.columns:
        return {column: index_of(name, header, f"csv.columns.{column}") for column, name in knobs.columns.items()}
    found: dict[Column, int] = {}
    for index, name in enumerate(header or ()):
        column = USUAL_NAMES.get(folded(name))
        if column is not None:
            found.setdefault(column, index)
    if not found:
        text = "no column has a name that is known here: say in the source's profile which is what"
        raise Refused("NO_COLUMNS", text, "csv.columns")
    return found


def index_of(named: str | int, header: Sequence[str] | None, place: str) -> int:
    """Return where a column stands, from 0, that a profile names by its name or by its number from 1."""
    if isinstance(named, int):
        return named - 1
    for same in (str.strip, folded):
        for index, name in enumerate(header or ()):
            if same(name) == same(named):
                return index
    text = "the first line has no column of the name that the source's profile gives it"
    raise Refused("UNKNOWN_COLUMN", text, place)
