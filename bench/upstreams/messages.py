"""Messages of HL7 v2 as a hospital's scheduling sends them: booked, moved, cancelled."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

CLINIC = "EYE"
PROVIDERS = 40
VISITS_OF_A_PATIENT = 2
FIRST = datetime(2027, 3, 1, 8, tzinfo=UTC)
SENT = datetime(2026, 11, 30, 9, tzinfo=UTC)


def of_lanes(messages: int, lanes: int, prefix: str) -> Sequence[Sequence[bytes]]:
    """Return so many messages in all, those of a visit in the order of one lane; one in five moves or ends a visit.

    Args:
        prefix: Makes the names of this run its own.
    """
    return [list(_of_lane(messages // lanes, f"{prefix}{lane}-")) for lane in range(lanes)]


def _of_lane(count: int, prefix: str) -> Iterator[bytes]:
    for number in range(count):
        visit, step = (number - number % 10 + 2, 1) if number % 10 == 8 else (number, 0)
        visit, step = (number - number % 10 + 3, 2) if number % 10 == 9 else (visit, step)
        yield _message(f"{prefix}{number}", f"{prefix}{visit}", visit, step, SENT + timedelta(seconds=number))


def _message(control_id: str, name: str, visit: int, step: int, sent: datetime) -> bytes:
    trigger, word = (("S12", "Booked"), ("S13", "Booked"), ("S15", "Cancelled"))[step]
    start = FIRST + timedelta(minutes=5 * visit, days=step == 1)
    begins, ends = f"{start:%Y%m%d%H%M%S}+0000", f"{start + timedelta(minutes=20):%Y%m%d%H%M%S}+0000"
    patient, doctor = visit // VISITS_OF_A_PATIENT, f"d{visit % PROVIDERS}^Otieno^Grace^^^Dr"
    who = name.rpartition("-")[0]
    return "\r".join(
        (
            f"MSH|^~\\&|HIS|RIVERSIDE|ATTEND|{CLINIC}|{sent:%Y%m%d%H%M%S}+0000||SIU^{trigger}^SIU_S12|{control_id}|P|2.5.1",
            f"SCH|P{name}^HIS|F{name}^HIS|||||CHECK^Check-up||20|min|^^20^{begins}^{ends}||||||||||||||{word}",
            f"PID|1||{who}{patient}^^^RIVERSIDE^MR||Kimathi^Amina^^^Ms||19800101|F|||1 High St^^London^^N1 1AA^GB"
            f"||+447{400_000_000 + patient:09}^PRN^CP~^NET^Internet^{who}{patient}@example.org||en",
            f"PV1|1|O|{CLINIC}^^^{CLINIC}||||{doctor}",
            "RGS|1|A",
            f"AIS|1|A|CHECK^Check-up^L|{begins}|||20|min",
            f"AIL|1|A|{CLINIC}^R1^^{CLINIC}|CLINIC",
            f"AIP|1|A|{doctor}|ATTENDING",
            "",
        )
    ).encode()
