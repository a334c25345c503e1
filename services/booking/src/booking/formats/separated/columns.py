"""Which column of a file is what: as the source's profile says, else by the names that exports give them."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from booking.profiles.csv_knobs import Column, CsvProfile
from booking.values.refusals import Refused

_IGNORED = re.compile(r"[^a-z0-9]+")

_USUAL: Mapping[Column, str] = {
    Column.APPOINTMENT_ID: """appointmentid apptid aptid appointmentguid apptguid appointmentnumber apptnumber aptnum
        patenccsnid csn schapptid pceid bookingid visitid eventuuid wcaptid uid terminid pmsid""",
    Column.STATUS: "status appointmentstatus apptstatus statut",
    Column.CONFIRMED: "confirmed schedconfirmed confirmind isconfirmed",
    Column.CANCELLED: """cancelled canceled schedcanceled cancelind iscancelled iscanceled cancelledat canceledat
        cancelledon cancellationdate canceldate deletedflag isdeleted""",
    Column.NO_SHOW: "noshow isnoshow noshowind didnotarrive didnotattend dna",
    Column.START: """start startdatetime startat startsat starton schedstartdate apptdatetime aptdatetime
        appointmentdatetime apptdttm begdttm apptstart appointmentstart scheduledstart scheduledtime datetime
        dtstart""",
    Column.START_DATE: """startdate appointmentdate apptdate aptdate visitdate slotdate eventdate pceventdate
        dateofservice date datum""",
    Column.START_TIME: """starttime appointmentstarttime appointmenttime appttime apttime slottime visittime begintime
        pcstarttime starttimesortable time heurededebut heuredebut beginn uhrzeit""",
    Column.END: """end enddatetime endat endsat stopdatetime schedenddate enddttm apptend appointmentend scheduledend
        enddate""",
    Column.END_TIME: "endtime appointmentendtime pcendtime heuredefin heurefin ende",
    Column.DURATION: """duration durationminutes minutesduration durationmin apptlength schedduration appointmentlength
        appointmentduration plannedduration pcduration length duree dauer""",
    Column.CLINIC: "clinic cliniccode",
    Column.SERVICE_TYPE: "servicetype appttype appointmenttype visittype apttype",
    Column.PROVIDER_ID: "providerid providercode clinicianid provid practitionerid",
    Column.PROVIDER_NAME: "providername clinicianname provname appointmentprovidername practitionername practitioner",
    Column.PATIENT_ID: """patientid patid patientnumber mrn patientmrn patmrnid patientaccountid patientacctno personid
        personnbr patnum pcpid prn emisnumber nhsnumber clientid cid identifiantpatient patientenid""",
    Column.PATIENT_NAME: "patientname patname clientname inviteename attendeename patient client",
    Column.GIVEN_NAME: """givenname firstname patientfirstname patfirstname namefirst fname inviteefirstname prenom
        vorname""",
    Column.FAMILY_NAME: """familyname lastname surname patientlastname patlastname namelast lname inviteelastname nom
        nachname""",
    Column.MOBILE: """mobile mobilephone cellphone patientcellphone mobiletelephone mobilenumber phonecell patientmobile
        textremindernumber attendeephone clientphone patphone patientphone phone phonenumber telephonemobile mobil
        handy""",
    Column.MAY_TEXT: """permissiontosendsms smspermission smsconsent consentsms consenttosms textconsent consenttotext
        permissiontotext smsoptin optinsms textoptin optintotext oktotext oktosms allowsms allowtext maytext""",
    Column.DO_NOT_TEXT: """donottext donotsms donotsendsms nosms notext smsoptout optoutsms smsoptedout textoptout
        optouttext textoptedout""",
    Column.LANDLINE: "landline homephone hometelephone phonehome",
    Column.EMAIL: "email emailaddress patientemail clientemail inviteeemail attendeeemail",
    Column.MAY_EMAIL: """permissiontosendemail emailpermission emailconsent consentemail consenttoemail
        permissiontoemail emailoptin optinemail oktoemail allowemail mayemail""",
    Column.DO_NOT_EMAIL: "donotemail donotsendemail noemail emailoptout optoutemail emailoptedout",
    Column.CONSENT: """consenttocontact contactconsent permissiontocontact contactpermission oktocontact allowcontact
        maycontact""",
    Column.DO_NOT_CONTACT: "donotcontact donotcontactpatient nocontact dnc optout optedout isoptedout contactoptout",
    Column.LANGUAGE: "language preferredlanguage",
    Column.CHANGED_AT: "changedat modifiedat lastmodified updatedat",
}

type Wishes = Mapping[Column, Sequence[int]]
"""What says whether a patient may be written to → where it stands in a row, from 0."""

USUAL_NAMES: Mapping[str, Column] = {name: column for column, names in _USUAL.items() for name in names.split()}
"""Folded name of a column → what is in it, where the profile names no column at all; of one thing the best first."""

WISHES = (
    Column.MAY_TEXT,
    Column.DO_NOT_TEXT,
    Column.MAY_EMAIL,
    Column.DO_NOT_EMAIL,
    Column.CONSENT,
    Column.DO_NOT_CONTACT,
)
"""What says whether a patient may be written to."""

_RANK = {name: rank for rank, name in enumerate(USUAL_NAMES)}
_ONCE = frozenset(
    {Column.APPOINTMENT_ID, Column.PATIENT_ID, Column.STATUS, Column.CANCELLED, Column.START, Column.START_DATE}
)
"""What is never read of either of two columns that bear one name."""

_OF_ANOTHER = re.compile(
    r"(payment|billing|insurance|marital|sms|message|reminder|patient|client|rx|invoice|claim)status"
)
_ANYBODYS, _OF_CLINICIAN = frozenset({"phone", "phonenumber"}), "npi"
"""A number that may be the clinician's, where the file tells who he is."""

_STATES = frozenset({"state", "appointmentstate", "schstatedisp", "bookingstate"})
_ADDRESS = frozenset({"city", "zip", "zipcode", "postcode", "postalcode", "address", "address1", "street", "country"})


def folded(name: str) -> str:
    """Return a column's name as it is compared: `Appointment Id`, `appointment_id` and `AppointmentId` are one."""
    plain = name if name.isascii() else unicodedata.normalize("NFKD", name)
    return _IGNORED.sub("", plain.casefold())


def places_of(header: Sequence[str] | None, knobs: CsvProfile) -> Mapping[Column, int]:
    """Return where each thing stands in a row, from 0.

    Args:
        header: The first line's names; None: it is a row as any other.

    Raises:
        Refused: UNKNOWN_COLUMN: a column that the profile names is not there. NO_COLUMNS: nothing says what is what.
            SEVERAL_COLUMNS: two are of one name.
    """
    if knobs.columns:
        return {column: index_of(name, header, f"csv.columns.{column}") for column, name in knobs.columns.items()}
    found: dict[Column, int] = {}
    names = [folded(name) for name in header or ()]
    for name, column in sorted(_meant(names), key=lambda one: _RANK.get(one[0], len(_RANK))):
        if found.setdefault(column, names.index(name)) == names.index(name) and column in _ONCE:
            _check_once(names, name, column)
    if not found:
        text = "no column has a name that is known here: say in the source's profile which is what (csv.columns), and "
        raise Refused("NO_COLUMNS", f"{text}csv.header: false if the first line is a visit", "csv.columns")
    return found


def wishes_of(header: Sequence[str] | None, named: Mapping[Column, int], knobs: CsvProfile) -> Wishes:
    """Return every column that says whether a patient may be written to, also where a profile names only others.

    One that is passed over may be a no: of several of one meaning each counts.

    Args:
        named: Where each thing stands, as `places_of` says it.
    """
    found = {column: {named[column]} for column in WISHES if column in named}
    others = {index for column, index in named.items() if column not in WISHES}
    for index, name in enumerate(map(folded, header or ())):
        column = USUAL_NAMES.get(name)
        if column in WISHES and column not in knobs.columns and index not in others:
            found.setdefault(column, set()).add(index)
    return {column: sorted(where) for column, where in found.items()}


def _meant(names: Sequence[str]) -> Iterator[tuple[str, Column]]:
    """Yield folded names that are known, and what each means.

    What may say that a visit is off is looked for by more than a list: of a status that is passed over it would stand.
    """
    known = {USUAL_NAMES[name] for name in names if name in USUAL_NAMES}
    for name in names:
        if name in _ANYBODYS and _OF_CLINICIAN in names:
            continue
        if name in USUAL_NAMES:
            yield name, USUAL_NAMES[name]
        elif name == "id" and known & {Column.PATIENT_ID, Column.PATIENT_NAME}:
            yield name, Column.APPOINTMENT_ID
        elif Column.STATUS not in known and _may_be_status(name, names):
            yield name, Column.STATUS


def _may_be_status(name: str, names: Sequence[str]) -> bool:
    if name in _STATES:
        return not _ADDRESS & set(names)
    return "status" in name and not _OF_ANOTHER.search(name)


def _check_once(names: Sequence[str], name: str, column: Column) -> None:
    if names.count(name) > 1:
        text = "the first line has two columns of this name: say in the source's profile which by its number"
        raise Refused("SEVERAL_COLUMNS", text, f"csv.columns.{column}")


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
