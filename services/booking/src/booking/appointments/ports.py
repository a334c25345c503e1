"""What the stories about appointments need of the records, as one transaction sees them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from booking.appointments.domain.known import RecordedEvent
from booking.appointments.domain.state import AppointmentState
from booking.check_ins.domain import CheckIn, TurnedAway
from booking.clearances.domain.standing import Terms
from booking.clinics.domain.clinic import ClinicState
from booking.patients.handle import PatientStore
from booking.values.identity import Identity, PatientKey
from booking.work_list.domain import Flag
from schemas.appointments import Bar


class VersionStore(Protocol):
    """What any story needs that gives appointments their next version. Every method is set-based and sorted by key."""

    async def lock(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, AppointmentState]:
        """Lock the appointments' rows and return them."""

    async def clinics(self, codes: Collection[str]) -> Mapping[str, ClinicState]:
        """Return the clinics that exist among these codes."""

    async def write_appointments(self, states: Mapping[UUID, AppointmentState]) -> None:
        """Write the current states."""

    async def publish_versions(
        self,
        versions: Sequence[tuple[UUID, AppointmentState]],
        clinics: Mapping[str, ClinicState],
        flags: Sequence[Flag] = (),
    ) -> None:
        """Append every version to the history and to the outbox, with what bars messages to its patient (D44).

        Args:
            flags: Those that some of these versions raise.
        """


class Store(PatientStore, VersionStore, Protocol):
    """Booking's records as one transaction sees them. Every method is set-based and sorted by key."""

    async def identify(self, identities: Collection[Identity]) -> tuple[Mapping[Identity, UUID], Collection[Identity]]:
        """Return the appointments' ids by name, each made if missing, and which names were made."""

    async def names(self, appointment_ids: Collection[UUID]) -> dict[UUID, set[str]]:
        """Return the names of these appointments."""

    async def name(self, names: Mapping[Identity, UUID]) -> None:
        """Let names made in this transaction be further ones of these appointments."""

    async def recorded_events(self, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], RecordedEvent]:
        """Return the commands taken before, by (client, key)."""

    async def clinic_ids(self, identifiers: Collection[tuple[str, str, str]]) -> Mapping[tuple[str, str, str], str]:
        """Return the codes of clinics by (source, system, value)."""

    async def known_people(
        self, patients: Collection[Identity], providers: Collection[Identity]
    ) -> tuple[Mapping[Identity, UUID], Mapping[Identity, Identity]]:
        """Return the ids of patients, and the names under which providers are kept, mentioned before by these names."""

    async def made_known(
        self, patients: Collection[UUID], providers: Collection[Identity]
    ) -> tuple[Collection[UUID], Collection[Identity]]:
        """Return who of these patients is registered, and who of these providers was entered, by his kept name."""

    async def names_of_patients(self, patient_ids: Collection[UUID]) -> dict[PatientKey, set[str]]:
        """Return the names of these patients."""

    async def names_of_providers(self, kept_as: Collection[Identity]) -> dict[Identity, set[str]]:
        """Return the names of the providers who are kept under these."""

    async def name_providers(self, names: Mapping[Identity, Identity]) -> None:
        """Let new names lead to the providers who are kept under these."""

    async def barred(self, patients: Collection[PatientKey | None]) -> Mapping[PatientKey | None, Bar]:
        """Return why no message may go to these patients (D44); those to whom one may are left out."""

    async def introduce_providers(self, names: Mapping[Identity, str], now: datetime) -> None:
        """Keep and publish the providers that are not known yet."""

    async def remember(self, recorded: Mapping[tuple[str, str], RecordedEvent]) -> None:
        """Keep the commands with their answers."""

    async def restarts(self, sources: Collection[str]) -> Mapping[str, datetime]:
        """Return when these sources last began to count their events anew; those that never did are left out."""

    async def terms(self, clinics: Collection[str], appointment_ids: Collection[UUID]) -> Terms:
        """Return what these clinics require for a check-in, and what these visits, whose rows are locked, hold."""

    async def keep_check_ins(self, check_ins: Sequence[CheckIn], now: datetime) -> None:
        """Append check-ins of visits whose rows are locked; that one is near and lacks something is settled by it."""

    async def keep_turned_away(self, refused: Sequence[TurnedAway], now: datetime) -> None:
        """Append refusals of check-ins of visits whose rows are locked, each once while it would be the same."""

    async def raise_flags(self, flags: Sequence[Flag], now: datetime) -> None:
        """Put these visits, whose rows are locked, on the work list; an open flag of the same code stays as it is."""

    async def release(self, appointment_ids: Collection[UUID], now: datetime) -> None:
        """Take visits that were held back off the work list, so that their messages leave."""

    async def settle_facts(self, appointment_ids: Collection[UUID], now: datetime) -> None:
        """Close the flags FACT_BEFORE_BOOKING of these visits, whose rows are locked: the booking has come."""

    async def enforced(self, sources: Collection[str]) -> Collection[str]:
        """Return which of these sources' steps are enforced (0052)."""

    async def forget(self, identities: Collection[Identity]) -> None:
        """Remove identities made in this transaction for commands that were refused."""
