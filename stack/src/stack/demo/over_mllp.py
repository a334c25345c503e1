"""Plays the part of the script that comes in HL7 v2 over MLLP, and learns from booking what became of it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from urllib.parse import quote

from stack.demo import hl7
from stack.demo.changes import Change, NewNumber
from stack.demo.client import AS_OPERATOR, Client, gather_by_key
from stack.demo.found import Names
from stack.demo.people import BY_MLLP, CLINICS, Clinic, Patient
from stack.demo.week import Week

PART = "booking-mllp"
TAKEN = "AA"
SOURCE_OF = {clinic.code: clinic.source for clinic in CLINICS}

BAD = (
    ("a message of scheduling without SCH", "SIU^S12", "AR NO_SCH"),
    ("a message of orders", "ORM^O01", "AR UNSUPPORTED_MESSAGE"),
)
"""Messages that must be refused: what is wrong, what they are, and the answer."""


class OverMllp:
    """The clinics that speak HL7 v2.

    Args:
        names: Takes the ids of their patients, providers and visits.
        surprises: Takes every answer that is not the expected one.
    """

    def __init__(self, client: Client, week: Week, names: Names, surprises: list[str]) -> None:
        self._client, self._week = client, week
        self._names, self._surprises = names, surprises
        self._feed = hl7.Feed(client.url(PART))

    async def register(self, at: datetime) -> None:
        """Register the patients, and say of whom nobody may write to any more."""
        everyone = [one for one in self._week.patients.values() if one.clinic in BY_MLLP and not one.only_in_visits]
        mine = [one for one in everyone if one.registered]
        await self.say([hl7.of_patient(hl7.REGISTERED, one, at, _of(one.clinic)) for one in mine])
        gone = [one for one in mine if one.do_not_contact]
        await self.say([hl7.of_patient(hl7.DELETED, one, at, _of(one.clinic)) for one in gone])
        await self._learn_patients(mine)

    async def enter(self, patient: Patient, at: datetime) -> None:
        """Register one patient in the middle of the week."""
        await self.say([hl7.of_patient(hl7.REGISTERED, patient, at, _of(patient.clinic))])
        await self._learn_patients([patient])

    async def change_number(self, new: NewNumber) -> None:
        """Say that a patient has another mobile."""
        patient = self._week.patients[new.patient]
        changed = replace(patient, mobile=new.mobile)
        await self.say([hl7.of_patient(hl7.CHANGED, changed, new.at, _of(patient.clinic))])

    async def post(self, changes: Sequence[Change]) -> None:
        """Say what changed, in order, and learn which visits booking made of it."""
        await self.say([self._message(change) for change in changes])
        applied = {one.appointment: one for one in changes if one.answer == "applied"}
        new = [name for name in applied if name not in self._names.appointments]
        found = await gather_by_key(new, lambda name: self._id("appointments", f"filler|{name}", applied[name].clinic))
        self._names.appointments |= found

    async def say(self, messages: Sequence[str]) -> None:
        """Send messages; each must be taken."""
        for message, code in zip(messages, await self._feed.send(messages), strict=True):
            if code != TAKEN:
                self._surprises.append(f"{message.split('|')[9]}: {TAKEN} expected, got {code}")

    async def misbehave(self, at: datetime) -> int:
        """Send what is no good, and return how many of it got its own code."""
        clinic = next(one for one in CLINICS if one.code in BY_MLLP)
        good = hl7.of_patient(hl7.REGISTERED, next(iter(self._week.patients.values())), at, clinic)
        bad = [good.replace(f"ADT^{hl7.REGISTERED}", kind, 1) for _, kind, _ in BAD]
        answers = await self._feed.send(bad)
        wrong = [(what, wanted, got) for (what, _, wanted), got in zip(BAD, answers, strict=True) if got != wanted]
        self._surprises += [f"{what}: {wanted} expected, got {got}" for what, wanted, got in wrong]
        return len(BAD) - len(wrong)

    async def learn_providers(self) -> None:
        """Learn the ids of the clinicians whom the messages named."""
        named = {one.provider: one.clinic for one in self._week.changes if one.clinic in BY_MLLP}
        mine = [key for key in named if key and key in self._week.providers]
        self._names.providers |= await gather_by_key(mine, lambda key: self._id("providers", key, named[key]))

    async def _learn_patients(self, patients: Iterable[Patient]) -> None:
        clinics = {one.id: one.clinic for one in patients}
        self._names.patients |= await gather_by_key(clinics, lambda name: self._id("patients", name, clinics[name]))

    async def _id(self, what: str, name: str, clinic: str) -> str:
        """Return booking's id of a visit, patient or provider of a clinic's own source."""
        source = SOURCE_OF[clinic]
        if what == "appointments":
            found = await self._client.ask(AS_OPERATOR, "GET", "/v1/appointments", source=source, id=name)
        else:
            found = await self._client.ask(AS_OPERATOR, "GET", f"/v1/{what}/{quote(name)}", source=source)
        return str(found[f"{what.removesuffix('s')}_id"])

    def _message(self, change: Change) -> str:
        patient = self._week.patients[change.patient]
        return hl7.of_visit(change, patient, self._week.providers.get(change.provider or ""))


def _of(code: str) -> Clinic:
    return next(clinic for clinic in CLINICS if clinic.code == code)
