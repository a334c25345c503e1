"""A practice of an end-to-end test's own: clinics, people and visits, in few words."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from chassis.process import clock
from stack.demo.client import Client
from stack.demo.drive import Driver
from stack.demo.found import address_of
from stack.demo.installation import Installation
from tests.support.whole_system import MONDAY_MORNING

SOURCE = "local"
HOUR = timedelta(hours=1)


async def next_morning(driver: Driver, running: Installation) -> datetime:
    """Step to the next ten in the morning, so that reminders of visits days ahead fall into no night, and return it."""
    now = max(clock.SteppedClock(running.clock_file).now(), MONDAY_MORNING)
    morning = now.replace(hour=10, minute=0, second=0, microsecond=0)
    morning = morning if morning > now else morning + timedelta(days=1)
    driver.step(morning)
    await driver.settle()
    return morning


@dataclass
class Person:
    """A patient as the test knows him."""

    source_id: str
    id: str | None
    main_file: str | None
    mobile: str
    email: str


@dataclass
class Visit:
    """A booked appointment."""

    source_id: str
    id: str
    start: datetime
    body: dict[str, Any] = field(repr=False)


@dataclass
class Practice:
    """One test's corner of the installation: nothing in it is shared with another test.

    The serial numbers start at the domain instant, which only moves forward: they are unique in an
    installation that keeps running too.
    """

    client: Client
    driver: Driver
    now: datetime
    clinic: str = ""
    provider: str = ""
    provider_id: str = ""
    _serial: "count[int]" = field(default_factory=count)

    @classmethod
    async def open(cls, client: Client, driver: Driver) -> "Practice":
        """Return a practice with one clinic in London and one provider."""
        assert driver.now is not None
        practice = cls(client, driver, driver.now)
        practice.clinic = await practice.new_clinic()
        practice.provider = f"dr-{practice.mark()}"
        answer = await client.ask(
            "booking", "PUT", f"/v1/providers/{practice.provider}", {"name": "Dr Who"}, source=SOURCE
        )
        practice.provider_id = answer["provider_id"]
        return practice

    def mark(self) -> str:
        """Return a text that no other thing of the installation has."""
        return f"{int(self.now.timestamp()) // 3600:X}{next(self._serial):02X}"

    async def new_clinic(self, zone: str = "Europe/London") -> str:
        """Enter a clinic and return its code."""
        code = f"C{self.mark()}"
        body = {"name": f"Clinic {code}", "zone": zone, "languages": ["en"], "country": "GB"}
        await self.client.ask("booking", "PUT", f"/v1/clinics/{code}", body)
        return code

    async def new_patient(
        self, *, registered: bool = True, preferences: dict[str, bool] | None = None, **fields: Any
    ) -> Person:
        """Return a patient with a mobile and an email, registered or not."""
        mark = self.mark()
        serial = int(mark, 16) % 10_000_000
        person = Person(
            f"p-{mark}", None, None, f"+1212{serial % 8_000_000 + 2_000_000:07d}", f"p-{mark.lower()}@example.org"
        )
        if registered:
            await self.register(person, **fields)
        if preferences is not None:
            await self.client.ask("notifier", "PUT", f"/v1/patients/{person.id}/preferences", preferences)
        return person

    async def register(self, person: Person, **fields: Any) -> None:
        """Enter the patient at booking: he gets his main file."""
        body = {
            "given_name": "Ada",
            "family_name": "Abara",
            "mobile": person.mobile,
            "email": person.email,
            "language": "en",
            "consent": True,
            "do_not_contact": False,
            **fields,
        }
        answer = await self.client.ask("booking", "PUT", f"/v1/patients/{person.source_id}", body, source=SOURCE)
        person.id, person.main_file = answer["patient_id"], answer["main_file"]

    async def book(
        self, patient: Person, start: datetime, as_written: dict[str, Any] | None = None, **appointment: Any
    ) -> Visit:
        """Book a visit of half an hour and return it; `as_written` says its times in other words."""
        name = f"a-{self.mark()}"
        body = {
            "id": name,
            "status": "booked",
            "patient": {"id": patient.source_id},
            "clinic": self.clinic,
            "provider": {"id": self.provider},
            "service_type": "Physiotherapy",
            "start": start.isoformat(),
            "end": (start + HOUR / 2).isoformat(),
            **appointment,
            **(as_written or {}),
        }
        answer = await self.post(body)
        return Visit(name, answer["appointment_id"], start, body)

    async def change(self, visit: Visit, **appointment: Any) -> dict[str, Any]:
        """Post a change of the visit and return the answer."""
        visit.body = {**visit.body, **appointment}
        return await self.post(visit.body)

    async def move(self, visit: Visit, start: datetime) -> dict[str, Any]:
        """Move the visit."""
        visit.start = start
        return await self.change(visit, start=start.isoformat(), end=(start + HOUR / 2).isoformat())

    async def cancel(self, visit: Visit) -> dict[str, Any]:
        """Cancel the visit."""
        return await self.change(visit, status="cancelled")

    async def post(self, appointment: dict[str, Any], event_id: str | None = None) -> dict[str, Any]:
        """Post one event and return the answer."""
        body = {"event_id": event_id or f"e-{self.mark()}", "appointment": appointment}
        answer: dict[str, Any] = await self.client.ask("booking", "POST", "/v1/events", body)
        return answer

    async def settle(self) -> None:
        """Wait until everything that follows has happened."""
        await self.driver.settle()

    async def pass_until(self, instant: datetime) -> None:
        """Let domain time pass until `instant`, stopping wherever something is due."""
        await self.driver.run_until(instant, {})

    async def reminders(self, visit: Visit, generation: int = 1) -> dict[str, dict[str, Any]]:
        """Return the reminder records of one schedule of the visit, by rule."""
        rows = await self.client.reminders(visit.id)
        return {row["rule"]: row for row in rows if row["schedule_gen"] == generation}

    async def outcomes(self, visit: Visit, generation: int = 1) -> dict[str, tuple[str, str | None]]:
        """Return (status, reason) of the reminders of one schedule, by rule."""
        return {rule: (row["status"], row["reason"]) for rule, row in (await self.reminders(visit, generation)).items()}

    async def notices(self, visit: Visit) -> list[dict[str, Any]]:
        """Return the provider's inbox rows about the visit."""
        return [row for row in await self.client.inbox(self.provider_id) if row["appointment_id"] == visit.id]

    async def accepted(self, person: Person) -> list[tuple[str, dict[str, Any]]]:
        """Return (channel, message) of everything that the sinks accepted for the person, in order."""
        messages = await self.client.accepted()
        return [(m["channel"], m) for m in messages if address_of(m) in {person.mobile, person.email}]

    async def channels(self, person: Person) -> list[str]:
        """Return the channels of everything that the sinks accepted for the person, in order."""
        return [channel for channel, _ in await self.accepted(person)]

    async def texts(self, person: Person) -> list[str]:
        """Return subject, text and attachments of everything that the sinks accepted for the person, in order."""
        return [
            "\n".join(
                [str(m.get("subject", "")), str(m["body"]), *(one["content"] for one in m.get("attachments", ()))]
            ).replace("\r\n", "\n")
            for _, m in await self.accepted(person)
        ]
