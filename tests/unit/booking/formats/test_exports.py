"""Files as practices' systems export them, by a source of which nothing is said but its zone: what each row is."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from booking.appointments.domain.command import BookAppointment
from booking.door.domain import Client
from booking.formats.port import Hints
from booking.formats.separated.format import SeparatedValues
from booking.profiles.current import Profiles
from booking.profiles.domain import Profile
from booking.values.refusals import Refused
from tests.support.booking.builders import NOW

CLIENT = Client("a", ("export",), default_clinic="NYC")
ZONES = {"NYC": "America/New_York", "LON": "Europe/London"}

EXPORTS = {
    "epic": (
        "PAT_ENC_CSN_ID,PAT_ID,PAT_MRN_ID,PAT_FIRST_NAME,APPT_DTTM,APPT_LENGTH,APPT_STATUS_NAME,MOBILE_PHONE\n"
        "100,Z1,0012,Ada,2027-03-12 10:00:00.000,20,Scheduled,555-010-1234\n"
        "101,Z2,0013,Ben,2027-03-12 10:30:00.000,20,Canceled,\n"
        "102,Z3,0014,Cy,2027-03-12 11:00:00.000,20,No Show,\n"
        "103,Z4,0015,Di,2027-03-12 11:30:00.000,20,Left without seen,\n",
        [
            "booked 03-12 15:00 20 100 Z1 Ada 555-010-1234", "cancelled 03-12 15:30 20 101 Z2 Ben",
            "noshow 03-12 16:00 20 102 Z3 Cy", "UNKNOWN_STATUS status",
        ],
    ),
    "cadence, tabs": (
        "CSN\tMRN\tPatient Name\tAppt Date\tAppt Time\tAppt Length\tStatus\r\n"
        "55\t001\tTest, Ada\t03/12/2027\t 10:00 AM\t20\tSch\r\n"
        "56\t002\tBen Q Test\t03/13/2027\t1:05 PM\t20\tConfirmed\r\n",
        ["booked 03-12 15:00 20 55 001 Ada Test", "booked confirmed 03-13 18:05 20 56 002 Ben Q Test"],
    ),
    "cerner": (
        '"SCH_APPT_ID","PERSON_ID","BEG_DT_TM","END_DT_TM","SCH_STATE_DISP"\n'
        '"7","8","12-MAR-2027 10:00:00","12-MAR-2027 10:20:00","Checked In"\n',
        ["checked-in 03-12 15:00 20 7 8"],
    ),
    "athena": (
        "appointmentid,patientid,appointmentdate,starttime,duration,appointmentstatus\n3,4,03/12/2027,10:00,30,f\n",
        ["UNKNOWN_STATUS status"],
    ),
    "eclinicalworks": (
        "Appointment Date,Appointment Start Time,Appointment End Time,Visit Status,Patient Acct No,Patient Cell Phone\n"
        "03/25/2027,09:15 AM,09:30 AM,Confirmed,91,617-555-0101\n03/25/2027,09:30 AM,09:45 AM,N/S,92,\n",
        ["booked confirmed 03-25 13:15 15 row 91 617-555-0101", "noshow 03-25 13:30 15 row 92"],
    ),
    "nextgen": (
        "appt_id,person_id,appt_date,begintime,endtime,cancel_ind,confirm_ind\n"
        "A1,P1,20270312,1000,1045,N,Y\nA2,P2,20270312,1030,1100,Y,N\n",
        ["booked confirmed 03-12 15:00 45 A1 P1", "cancelled 03-12 15:30 30 A2 P2"],
    ),
    "cliniko": (
        "Patient ID,Patient,Appointment ID,Start time,End time,Cancelled at,Did not arrive,Mobile\n"
        "1,Ada Test,91,2027-03-12 10:00,2027-03-12 10:45,,No,0412 345 678\n"
        "2,Ben Test,92,2027-03-12 11:00,2027-03-12 11:45,2027-03-10 08:00,No,\n"
        "3,Cy Test,93,2027-03-12 12:00,2027-03-12 12:45,NULL,Yes,\n",
        [
            "booked 03-12 15:00 45 91 1 Ada Test 0412 345 678", "cancelled 03-12 16:00 45 92 2 Ben Test",
            "noshow 03-12 17:00 45 93 3 Cy Test",
        ],
    ),
    "jane": (
        "Appointment ID,Patient Number,Start At,End At,State\n"
        "1,7,2027-03-12 10:00:00 -0500,2027-03-12 11:00:00 -0500,No Show\n",
        ["noshow 03-12 15:00 60 1 7"],
    ),
    "simplepractice": (
        "Date of Service,Client,Appointment Status,Client ID\n03/25/2027 10:00 AM,Ada Test,Show,c1\n"
        "03/05/2027 11:00 AM,Ben Test,Late Canceled,c2\n",
        ["fulfilled 03-25 14:00 30 row c1 Ada Test", "cancelled 03-05 16:00 30 row c2 Ben Test"],
    ),
    "acuity": (
        "Start Time,End Time,First Name,Phone,Notes,Appointment ID\n"
        '"March 12, 2027 2:00 pm","March 12, 2027 2:50 pm",Ada,\'+16175550101,"two\nlines",12\n',
        ["booked 03-12 19:00 50 12 person Ada +16175550101"],
    ),
    "calendly": (
        "Invitee Name,Invitee Email,Start Date & Time,End Date & Time,Canceled,Event UUID\n"
        "Ada Test,ada@example.org,2027-03-12 10:00 am,2027-03-12 10:30 am,false,A-1\n"
        "Ben Test,ben@example.org,2027-03-12 11:00 am,2027-03-12 11:30 am,true,A-2\n",
        ["booked 03-12 15:00 30 A-1 person Ada Test", "cancelled 03-12 16:00 30 A-2 person Ben Test"],
    ),
    "cal.com": (
        "id,startTime,endTime,status,attendeeName,attendeeEmail\n"
        "1,2027-03-12T15:00:00.000Z,2027-03-12T15:30:00.000Z,ACCEPTED,Ada Test,ada@example.org\n"
        "2,2027-03-12T15:00:00.000Z,2027-03-12T15:30:00.000Z,REJECTED,Ada Test,ada@example.org\n",
        ["booked 03-12 15:00 30 1 person Ada Test", "cancelled 03-12 15:00 30 2 person Ada Test"],
    ),
    "square": (
        "Client Name,Client Phone,Date,Start time,End time,Status\n"
        "Ada Test,+16175550101,2027-03-12,10:00,10:30,Cancelled by client\n",
        ["cancelled 03-12 15:00 30 row person Ada Test +16175550101"],
    ),
    "doctolib": (
        "Date;Heure de début;Durée;Statut;Nom;Prénom;Téléphone mobile;Identifiant patient\n"
        "12/03/2027;09:00;15 min;confirmé;TEST;Adèle;0612345678;9\n25/03/2027;09h15;15 min;annulé;TEST;Zoé;;10\n",
        ["booked confirmed 03-12 14:00 15 row 9 Adèle TEST 0612345678", "cancelled 03-25 13:15 15 row 10 Zoé TEST"],
    ),
    "German": (
        "Termin-ID;Patienten-ID;Nachname;Vorname;Datum;Beginn;Ende;Status\n"
        "1;7;Müller;Änne;05.03.2027;09:00;09:15;abgesagt\n",
        ["cancelled 03-05 14:00 15 1 7 Änne Müller"],
    ),
    "systmone": (
        '"Appointment Date","Appointment Start Time","Appointment Status","NHS number","Clinic"\n'
        '"12-Mar-2027","09:00","Did Not Attend","9434765919","LON"\n'
        '"12 Mar 2027","09:10","Cancelled by Patient","94","LON"\n',
        ["noshow 03-12 09:00 30 row 9434765919", "cancelled 03-12 09:10 30 row 94"],
    ),
    "emis": (
        "Appointment date,Start time,Planned duration,Slot status,EMIS Number\n25/03/2027,09:00,10,DNA,11\n",
        ["noshow 03-25 13:00 10 row 11"],
    ),
    "drchrono": (
        "id,patient,scheduled_time,duration,status,deleted_flag\n17,80,2027-03-12T10:00:00,30,,False\n"
        "18,80,2027-03-12T10:00:00,30,,True\n",
        ["booked 03-12 15:00 30 17 80", "cancelled 03-12 15:00 30 18 80"],
    ),
    "openemr": (
        "pc_eid,pc_pid,pc_eventDate,pc_startTime,pc_duration,pc_apptstatus\n1,11,2027-03-12,10:00:00,900,cancelled\n",
        ["cancelled 03-12 15:00 15 1 11"],
    ),
    "openpm: the number is the clinician's": (
        "pat_id,first_name,startdate,enddate,NPI,Phone,WC Apt ID\n"
        "77,Ada,2027-03-12 10:00:00,2027-03-12 10:30:00,12,6175550199,5\n",
        ["booked 03-12 15:00 30 5 77 Ada"],
    ),
    "a number of calls": (
        '"ApptGUID","ApptDate","PatName","PatPhone"\n"g-1","10/4/2027 16:00","Test, Ada","6175550101"\n'
        '"g-2","10/24/2027 16:00","Test, Ben","6175550102"\n',
        [
            "booked 10-04 20:00 30 g-1 person Ada Test 6175550101",
            "booked 10-24 20:00 30 g-2 person Ben Test 6175550102",
        ],
    ),
    "he wants no texts": (
        "Mobile,PermissionToSendSMS,FirstName,AppointmentDate,AppointmentTime\n61491570156,0,Ada,27/03/2027,15:30\n",
        ["booked 03-27 19:30 30 row person Ada"],
    ),
    "Excel": (
        'sep=;\r\nAppointmentId;PatientId;StartDateTime;Duration;Status\r\n'
        '="00123";="0007";2027-03-12 10:00;0:45;booked\r\n'
        "5;1,23457E+11;2027-03-12 10:00;0:45;booked\r\n6;7;12.03.2027 10:00;1h 15m;booked\r\n",
        ["booked 03-12 15:00 45 00123 0007", "ROUNDED_NUMBER patient_id", "booked 03-12 15:00 75 6 7"],
    ),
    "nothing says which is the month": (
        "PatientId,AppointmentDate,AppointmentTime\n7,01/02/2027,10:00\n8,3/3/2027,10:00\n",
        ["BAD_TIME start_date", "booked 03-03 15:00 30 row 8"],
    ),
    "dates that contradict each other": (
        "PatientId,AppointmentDate,AppointmentTime\n7,01/02/2027,10:00\n8,27/02/2027,10:00\n9,02/27/2027,10:00\n",
        ["BAD_TIME start_date", "booked 02-27 15:00 30 row 8", "booked 02-27 15:00 30 row 9"],
    ),
    "hours": (
        "PatientId,AppointmentDate,AppointmentTime\n1,2027-03-12,10:00 a.m.\n2,2027-03-12,9.30pm\n3,2027-03-12,14h30\n"
        "4,2027-03-12,930\n5,2027-03-12,13:00 PM\n6,2027-03-12,24:00\n7,2027-03-12,12:05 AM\n"
        "8,12/30/1899 09:00:00,10\n",
        [
            "booked 03-12 15:00 30 row 1", "booked 03-13 02:30 30 row 2", "booked 03-12 19:30 30 row 3",
            "booked 03-12 14:30 30 row 4", "BAD_TIME start_time", "BAD_TIME start_time", "booked 03-12 05:05 30 row 7",
            "TIME_OUT_OF_RANGE start_date",
        ],
    ),
    "ends": (
        "PatientId,AppointmentDate,StartTime,EndTime\n7,2027-03-12 00:00:00,1899-12-30 10:00,1899-12-30 10:45\n"
        "8,2027-03-12,2027-03-12 10:00,2027-03-12 10:20\n9,2027-03-12,23:30,00:15\n6,2027-03-12,10:00,00:00\n",
        ["booked 03-12 15:00 45 row 7", "booked 03-12 15:00 20 row 8", "booked 03-13 04:30 45 row 9",
            "booked 03-12 15:00 -600 row 6",
        ],
    ),
    "lengths": (
        "PatientId,Start,Duration\n1,2027-03-12 10:00,0:15:00\n2,2027-03-12 10:00,90 minutes\n"
        "3,2027-03-12 10:00,480\n4,2027-03-12 10:00,1800.0\n5,2027-03-12 10:00,1 hour\n",
        [f"booked 03-12 15:00 {length} row {n}" for n, length in enumerate(("15", "90", "480", "30", "60"), 1)],
    ),
    "nothing": (
        "AppointmentId,PatientId,Start,Cancelled,No Show\nNULL,7,2027-03-12 10:00,0000-00-00,0\n"
        "1.23E+15,7,2027-03-12 10:00,,\n3,#N/A,2027-03-12 10:00,,\n4,7,2027-03-12 10:00,2 - no show,\n"
        "5,7,2027-03-12 10:00,N,maybe\n",
        [
            "booked 03-12 15:00 30 row 7", "ROUNDED_NUMBER appointment_id", "PATIENT_REQUIRED patient_id",
            "UNKNOWN_STATUS cancelled", "UNKNOWN_VALUE no_show",
        ],
    ),
    "nobody knows this start": ("PatientId,AppointmentID,ScheduledDay\n2,5,2016-04-29T18:38:08Z\n"
    "", ["START_REQUIRED start"]),
}  # fmt: skip


def told(one: object) -> str:
    if isinstance(one, Refused):
        return f"{one.code} {one.place}"
    assert isinstance(one, BookAppointment)
    assert isinstance(one.starts_at, datetime)
    assert isinstance(one.ends_at, datetime)
    assert one.person is not None
    minutes = f"{(one.ends_at - one.starts_at).total_seconds() / 60:g}"
    words = (
        one.status, "confirmed" * (one.confirmed is True), f"{one.starts_at:%m-%d %H:%M}", minutes,
        one.appointment.split("|")[0], str(one.patient).split("|", maxsplit=1)[0], one.person.given_name,
        one.person.family_name, *one.person.own.mobiles,
    )  # fmt: skip
    return " ".join(filter(None, words))


def read(body: bytes) -> list[str]:
    profiles = Profiles.fixed({"export": Profile()}, ZONES)
    return [told(one) for one in SeparatedValues().parse(body, replace(Hints(CLIENT, NOW), profiles=profiles)).commands]


@pytest.mark.parametrize("name", EXPORTS)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "windows-1252", "utf-16"])
def test_an_export_is_read_as_it_is(name: str, encoding: str) -> None:
    text, expected = EXPORTS[name]

    assert read(text.encode(encoding)) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (
            "AppointmentId,PatientId,StartDateTime,Status,Status\n1,7,2027-03-12 10:00,booked,cancelled\n",
            "SEVERAL_COLUMNS",
        ),
        ("MRN,mrn,StartDateTime\n1,7,2027-03-12 10:00\n", "SEVERAL_COLUMNS"),
        ("Ada Test,6175550101,2027-03-12 10:00\n", "NO_COLUMNS"),
    ],
)
def test_a_file_whose_columns_may_mean_two_things_is_refused_whole(text: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        read(text.encode())

    assert refused.value.code == code
    assert not any(value in str(refused.value) for value in ("Ada", "617", "2027"))


def test_of_two_columns_the_best_is_read_and_an_address_has_no_status() -> None:
    header: Sequence[str] = ("MRN", "Patient ID", "Appointment Date", "Appointment Time", "State", "City")

    assert read(f"{','.join(header)}\n5,6,2027-03-12,10:00,MA,Boston\n".encode()) == ["booked 03-12 15:00 30 row 6"]
