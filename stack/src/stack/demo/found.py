"""What the week really left behind, read from the public APIs and the carriers' own log."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from stack.demo.client import Client, gather_by_key
from stack.demo.expectation import Checked, Facts
from stack.demo.let_in import FlagNow


def by_address(accepted: Iterable[dict[str, Any]], calls: Iterable[dict[str, Any]] = ()) -> Counter[tuple[str, str]]:
    """Return how many messages each (channel, address) got; one about several visits counts for each of them.

    Args:
        calls: What the ledger says of the calls; those that were made by another's name it (`with_attempt`).
    """
    others = Counter(call["with_attempt"] for call in calls if call["with_attempt"])
    told: Counter[tuple[str, str]] = Counter()
    for message in accepted:
        told[message["channel"], address_of(message)] += 1 + others[attempt_of(message["reference"])]
    return told


def attempt_of(reference: str) -> str:
    """Return the attempt id in our reference at a carrier: bare, in a Message-ID, or the end of a callback URL."""
    return reference.strip("<>").partition("@")[0].rpartition("/")[2]


def by_channel(accepted: Iterable[dict[str, Any]]) -> Counter[str]:
    """Return how many messages each channel got."""
    return Counter(message["channel"] for message in accepted)


def address_of(message: dict[str, Any]) -> str:
    """Return the recipient's address; a number with its plus, which Meta's API leaves out."""
    to = str(message["to"])
    return to if message["channel"] == "email" else f"+{to.lstrip('+')}"


@dataclass
class Names:
    """The system's ids of the things that the script names, learned from its answers."""

    patients: dict[str, str] = field(default_factory=dict)
    providers: dict[str, str] = field(default_factory=dict)
    appointments: dict[str, str] = field(default_factory=dict)

    def add(self, other: "Names") -> None:
        """Take another part's names in."""
        self.patients |= other.patients
        self.providers |= other.providers
        self.appointments |= other.appointments


async def find(client: Client, names: Names) -> Facts:
    """Return every fact about the things in `names`."""
    facts = Facts()
    patients = {known: name for name, known in names.patients.items()}
    appointments = {known: name for name, known in names.appointments.items()}
    providers = {known: name for name, known in names.providers.items()}
    for patient, sub_files in (await gather_by_key(patients, client.sub_files_of)).items():
        for found in sub_files:
            provider = providers.get(found["provider_id"], found["provider_id"])
            facts.sub_files[patients[patient], found["clinic_id"], found["status"], provider] += 1
    notifications = await gather_by_key(appointments, client.notifications)
    channels = {row["notification_id"]: row["channel"] for rows in notifications.values() for row in rows}
    for appointment, rows in (await gather_by_key(appointments, client.reminders)).items():
        for row in rows:
            outcome = channels.get(row["notification_id"]) if row["status"] == "SENT" else row["reason"]
            reminder = appointments[appointment], row["schedule_gen"], row["rule"], row["status"], str(outcome)
            facts.reminders[reminder] += 1
    for appointment, rows in notifications.items():
        for row in (row for row in rows if row["recipient"] == "patient" and row["kind"] != "reminder"):
            outcome = row["channel"] if row["outcome"] == "accepted" else row["reason"]
            facts.news[appointments[appointment], row["kind"], str(row["outcome"]), str(outcome)] += 1
    for provider, rows in (await gather_by_key(providers, client.inbox)).items():
        for row in rows:
            if row["kind"] == "provider-day":
                facts.notices[providers[provider], row["kind"], row["date"]] += 1
            elif row["appointment_id"] in appointments:
                facts.notices[providers[provider], row["kind"], appointments[row["appointment_id"]]] += 1
    for appointment, visit in (await gather_by_key(appointments, client.appointment)).items():
        facts.visits[appointments[appointment], visit["status"]] += 1
    calls = [call for rows in notifications.values() for row in rows for call in row["calls"]]
    facts.messages = by_address(await client.accepted(), calls)
    return facts


async def check_ins_of(client: Client, names: Names, whose: Iterable[str]) -> Counter[Checked]:
    """Return the check-ins that booking keeps of these appointments: whoever was turned away is not among them."""
    facts: Counter[Checked] = Counter()
    for name, kept in (await gather_by_key(whose, lambda name: client.check_ins(names.appointments[name]))).items():
        for one in kept:
            what = "reported" if not one["at_desk"] else "overridden" if one["overridden"] else "let in"
            facts[name, what, ", ".join(f"{lack['kind']} {lack['code']}" for lack in one["lacking"])] += 1
    return facts


async def work_list_of(client: Client, names: Names, clinic: str) -> Counter[FlagNow]:
    """Return what is on booking's work list of a clinic's visits that are in `names`, or was."""
    known = {found: name for name, found in names.appointments.items()}
    flags = [flag for flag in await client.flags(clinic) if flag["appointment_id"] in known]
    return Counter((known[one["appointment_id"]], one["code"], "done" if one["done_at"] else "open") for one in flags)
