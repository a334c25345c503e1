"""Plays the script through the doors, and notes every answer that is not the expected one."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

from stack.demo import clearing
from stack.demo.bad import try_all
from stack.demo.changes import Change
from stack.demo.clearing import CheckIn, Word
from stack.demo.client import AS_OPERATOR, Client, Refused, gather_by_key
from stack.demo.conditions import Outage, Refusal
from stack.demo.expectation import Checked
from stack.demo.found import Names
from stack.demo.over_mllp import OverMllp
from stack.demo.people import BY_MLLP, CLINICS, LOCAL, Patient, providers
from stack.demo.week import Week

UNDELIVERABLE = {"whatsapp": 131026, "sms": 21614}
"""The carriers' own codes: Meta's "message undeliverable", Twilio's "not a mobile number"."""


class Play:
    """The week's upstream."""

    def __init__(self, client: Client, week: Week) -> None:
        self._client = client
        self._week = week
        self.names = Names()
        self.posted = 0
        self.messages = 0
        self.refused = 0
        self.turned_away: Counter[Checked] = Counter()
        self.surprises: list[str] = []
        self._mllp = OverMllp(client, week, self.names, self.surprises)

    async def enter_clinics(self) -> None:
        """Enter the clinics, and the providers of those that speak of them by their ids alone."""
        for clinic in CLINICS:
            await self._client.ask("booking", "PUT", f"/v1/clinics/{clinic.code}", clinic.body())
        by_mllp = {key for clinic in CLINICS if clinic.code in BY_MLLP for key, _ in providers(clinic)}
        for key, name in self._week.providers.items():
            if key not in by_mllp:
                answer = await self._client.ask("booking", "PUT", f"/v1/providers/{key}", {"name": name}, source=LOCAL)
                self.names.providers[key] = answer["provider_id"]

    async def register(self) -> None:
        """Register the patients who are, with their preferences, and set what clinics want and carriers refuse."""
        await self._mllp.register(self._week.opens_at)
        everyone = (one for one in self._week.patients.values() if one.registered and not one.only_in_visits)
        await gather_by_key(everyone, self.enter)
        for clinic_code in self._week.conditions.follow_up:
            await self._client.ask("notifier", "PUT", f"/v1/clinics/{clinic_code}/sending", {"no_show_follow_up": True})
        await self._client.ask("sinks", "POST", "/faults", [_refused(one) for one in self._week.conditions.refusals])
        path = f"/v1/clinics/{clearing.CLINIC}/clearance-policy"
        await self._client.ask(AS_OPERATOR, "PUT", path, clearing.POLICY)

    async def enter(self, patient: Patient) -> None:
        """Register one patient unless that is done, with his preferences if he told any."""
        if patient.clinic not in BY_MLLP:
            path = f"/v1/patients/{patient.id}"
            told = await self._client.ask("booking", "PUT", path, patient.body(), source=LOCAL)
            self.names.patients[patient.id] = told["patient_id"]
        if patient.preferences:
            path = f"/v1/patients/{self.names.patients[patient.id]}/preferences"
            await self._client.ask("notifier", "PUT", path, patient.preferences.body())

    def actions(self) -> dict[datetime, Callable[[], Awaitable[None]]]:
        """Return what to do at which instant of the week."""
        acts: dict[datetime, Callable[[], Awaitable[None]]] = {}
        acts |= {instant: partial(self.act, instant) for instant in self._week.instants()}
        acts |= {one.begins: partial(self.break_down, one) for one in self._week.conditions.outages}
        acts |= {one.ends: partial(self.come_back, one) for one in self._week.conditions.outages}
        return acts

    async def act(self, instant: datetime) -> None:
        """Do everything that the script has for this instant."""
        for registration in (r for r in self._week.registrations if r.at == instant):
            patient = self._week.patients[registration.patient]
            await (self._mllp.enter(patient, instant) if patient.clinic in BY_MLLP else self.enter(patient))
        for new in (new for new in self._week.conditions.new_numbers if new.at == instant):
            await self._mllp.change_number(new)
        for number in (number for number, at in self._week.conditions.stops.items() if at == instant):
            await self._client.ask("sinks", "POST", "/inbound", {"sender": number, "body": "STOP"})
        changes = [change for change in self._week.changes if change.at == instant]
        await self.post([change for change in changes if change.clinic not in BY_MLLP])
        await self.post_messages([change for change in changes if change.clinic in BY_MLLP])
        for act in (act for act in self._week.acts if act.at == instant):
            await (self.say(act) if isinstance(act, Word) else self.check_in(act))

    async def break_down(self, outage: Outage) -> None:
        """Take a carrier down: it answers 503 to everything."""
        await self._client.ask("sinks", "POST", "/faults", {"channel": outage.channel, "fault": "503"})

    async def come_back(self, outage: Outage) -> None:
        """Bring it back; what it refuses for good, it still refuses."""
        await self._client.ask("sinks", "DELETE", "/faults", channel=outage.channel)
        refused = [_refused(one) for one in self._week.conditions.refusals if one.channel == outage.channel]
        await self._client.ask("sinks", "POST", "/faults", refused)

    async def post(self, changes: list[Change]) -> None:
        """Post changes in order, learn the ids from the answers, and compare the results."""
        answers = await self._client.post_events([change.body() for change in changes])
        self.posted += len(changes)
        for change, answer in zip(changes, answers, strict=True):
            if answer.get("result") != change.answer:
                self.surprises.append(f"{change.event_id}: {change.answer} expected, got {answer}")
            elif change.answer == "applied":
                self.names.appointments[change.appointment] = answer["appointment_id"]

    async def post_messages(self, changes: list[Change]) -> None:
        """Send changes in HL7 v2; an acknowledgement says only that it was taken."""
        await self._mllp.post(changes)
        self.messages += len(changes)

    async def say(self, word: Word) -> None:
        """Say what is so of one clearance."""
        path = f"/v1/appointments/{self.names.appointments[word.appointment]}/clearances"
        answer = await self._client.ask("booking", "POST", path, word.body())
        if answer["result"] != "applied":
            self.surprises.append(f"{word.appointment}: {word.what} is {answer['result']}")

    async def check_in(self, one: CheckIn) -> None:
        """Check a patient in, and note for want of what it was refused."""
        path = f"/v1/appointments/{self.names.appointments[one.appointment]}/check-in"
        try:
            await self._client.ask("booking", "POST", path, one.body())
        except Refused as refused:
            places = [(error["place"].removeprefix("clearances."), error["code"]) for error in refused.errors]
            lacks = ", ".join(f"{kind} {code}" for kind, code in places)
            what = "refused" if refused.code == "NOT_CLEARED" else str(refused.code)
            self.turned_away[one.appointment, what, lacks] += 1

    async def misbehave(self) -> None:
        """Post the bad messages."""
        for bad, answer in await try_all(self._client):
            if answer == bad.answer:
                self.refused += 1
            else:
                self.surprises.append(f"{bad.what}: {bad.answer} expected, got {answer}")
        self.refused += await self._mllp.misbehave(self._week.opens_at)

    async def learn_strangers(self) -> None:
        """Learn the ids of those whom only messages named: clinicians, and patients whose sub-files wait for them."""
        await self._mllp.learn_providers()
        for change in self._week.changes:
            appointment = self.names.appointments.get(change.appointment)
            if appointment and change.patient not in self.names.patients:
                for sub_file in await self._client.sub_files(appointment):
                    self.names.patients[change.patient] = sub_file["patient_id"]


def _refused(one: Refusal) -> dict[str, object]:
    return {"channel": one.channel, "fault": "400", "match": one.address, "carrier_code": UNDELIVERABLE[one.channel]}
