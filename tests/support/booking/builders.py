"""What the tests of booking's rules are built of."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from booking.appointments.domain.batch import Batch
from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.known import Known
from booking.appointments.domain.strangers import Acquaintances
from booking.clearances.domain.standing import NO_TERMS, Terms
from booking.clinics.domain.clinic import ClinicState
from booking.door.domain import Client
from booking.formats.port import Parsed
from booking.values.identity import Identity
from booking.values.refusals import Refused
from schemas.appointments import Status

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
START = datetime(2027, 3, 12, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
VISIT = UUID(int=7)
ANN = UUID(int=1)
EYE = ClinicState("EYE", 1, "Eye Clinic", "Europe/London", "GB", NOW)
ENT = ClinicState("ENT", 1, "Throat Clinic", "Europe/Berlin", "DE", NOW)
LOCAL = Client("local", ("local",), may_register=True)

BOOK: dict[str, Any] = {
    "status": Status.BOOKED,
    "patient": "ann",
    "clinic": "EYE",
    "provider": "dr-who",
    "service_type": "Check",
    "starts_at": START,
    "ends_at": START + HOUR,
}


def command(key: str = "e1", **given: Any) -> BookAppointment:
    """Return a command about the visit `v1`; a full booking unless told otherwise."""
    fields = {"appointment": "v1", "source": "local", "client": "local", **BOOK, **given}
    return BookAppointment(key=key, body_sha256=repr(sorted(fields.items(), key=str)).encode(), **fields)


def change(key: str, status: Status = Status.BOOKED, **given: Any) -> BookAppointment:
    """Return a command that mentions only what is given."""
    fields = {"appointment": "v1", "source": "local", "client": "local", "status": status, **given}
    return BookAppointment(key=key, body_sha256=repr(sorted(fields.items(), key=str)).encode(), **fields)


class Everybody(tuple[Any, ...]):
    """A collection in which everybody is."""

    def __contains__(self, _one: object) -> bool:
        return True


ALL_KNOWN = Acquaintances(Everybody(), Everybody())


def batch(
    client: Client = LOCAL,
    known: Batch | None = None,
    clinic_ids: dict[tuple[str, str, str], str] | None = None,
    now: datetime = NOW,
    new: Collection[str] = (),
    acquaintances: Acquaintances = ALL_KNOWN,
    terms: Terms = NO_TERMS,
) -> Batch:
    """Return an empty batch on top of what another one left; the visits `new` are nobody's yet."""
    ids: dict[Identity, UUID] = {("local", name): UUID(int=100 + n) for n, name in enumerate(new)}
    ids |= {("local", f"v{n}"): UUID(int=6 + n) for n in range(1, 10)}
    held = {**known.known.held, **known.changed} if known else {}
    taken = {**known.known.recorded_events, **known.recorded_events} if known else {}
    return Batch(
        Known(
            ids=ids,
            held=held,
            recorded_events=taken,
            clinics={"EYE": EYE, "ENT": ENT},
            clinic_ids=clinic_ids or {},
            patients={("local", "ann"): ANN},
            clients={client.client_id: client},
            made={("local", name) for name in new},
            acquaintances=acquaintances,
            terms=terms,
        ),
        now,
    )


def of_visits(parsed: Parsed) -> list[BookAppointment | Refused]:
    """Return what a body asks for, of which nothing is of patients alone."""
    assert all(isinstance(one, BookAppointment | Refused) for one in parsed.commands), parsed.commands
    return [one for one in parsed.commands if isinstance(one, BookAppointment | Refused)]
