"""What real senders write, as cases: what is posted, what is answered, what is held and what is sent because of it."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import orjson

from stack.demo.client import Client
from stack.demo.drive import Driver
from stack.demo.found import address_of
from stack.demo.installation import Installation
from tests.support.practice import SOURCE, Person, Practice, next_morning
from tests.support.waiting import until

FHIR = "application/fhir+json"
ZONE = "Europe/London"
_INSTANT = re.compile(r"\{(NOW|S|E)(?:([+-])(\d+)(m|h|d))?(%[^}]+)?\}")
_CODE = re.compile(r"X ([0-9]{4}) to cancel")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}

type Warned = tuple[str, str]
"""Code and place of a warning."""


@dataclass(frozen=True)
class Post:
    """One request as a sender writes it, and what it is answered.

    Texts may name what is the case's own: `{mark}` (in every id), `{patient}`, `{clinic}` (its code, a `Location` in
    FHIR and AIL-3.4 in HL7), `{provider}`, `{mobile}`, `{email}`; a second provider `{provider2}`; another patient
    `{other}` with `{other_mobile}` and `{other_email}`, whom nobody has registered; and instants: `{NOW}`, `{S}` (a
    start three days ahead), `{E}` (half an hour later), each with `+5h`, `-90m`, `+1d`, and as the clock at the clinic
    says: `{S%H:%M}`.
    A path may name `{visit_id}`, our id of the case's visit.

    Attributes:
        body: JSON, or bytes as they are sent.
        answer: Members that the answer has, by path: `{"result": "applied"}`; a header by its name: `Attend-Result`.
        warnings: Code and place of each, in any order; None: not judged.
        service: Whom it is sent to: a service, or the carriers as `sinks`.
        by_operator: It is sent with the operator's key, as what is sent to the notifier always is.
    """

    body: Any
    answer: Mapping[str, Any] = field(default_factory=dict)
    warnings: Sequence[Warned] | None = ()
    status: int = 200
    path: str = "/v1/events"
    method: str = "POST"
    content_type: str = "application/json"
    service: str = "booking"
    by_operator: bool = False


def fhir(resource: Any, answer: Mapping[str, Any] | None = None, **expected: Any) -> Post:
    """Return the post of a FHIR Appointment, or of a message."""
    is_message = isinstance(resource, dict) and resource.get("resourceType") == "Bundle"
    path = "/fhir/R4/$process-message" if is_message else "/fhir/R4/Appointment"
    return Post(resource, answer or {}, path=path, content_type=FHIR, **expected)


def answered(text: str, sender: str = "{mobile}") -> Post:
    """Return a text message that the patient sends."""
    return Post({"sender": sender, "body": text}, path="/inbound", service="sinks", status=204)


@dataclass(frozen=True)
class Answer:
    """What the patient answers by SMS to the last message that asks him to: `C` or `X`, with the code in it.

    A case with one is of a patient who is written to by SMS alone, from a clinic that takes answers.
    """

    word: str


@dataclass(frozen=True)
class Case:
    """What one sender sends of one visit, whose patient is registered and whose clinic is entered.

    Attributes:
        input: In order; all cases of a file send their next one at the same time, and wait until nothing moves. None:
            nothing this time.
        held: Members of the appointment `v-{mark}` as it is held at the end.
        told: Channel of each message that the patient got, and words of its subject or text. None: not judged.
        said: What stands in each of them (subject, text, attachments), and what does not. None: not judged.
        visit: By which id of the source the appointment is asked for.
        told_other: The same of `{other}`. None: not judged.
        noticed: Titles in the inboxes of `{provider}` and `{provider2}`, in order. None: not judged.
        cleared: State of each kind of clearance that the visit has at the end. None: not judged.
        told_at: Address (a number in E.164, a mail's as it is written on the wire) → as `told`, whosever it is.
    """

    name: str
    input: Sequence[Post | Answer | None]
    held: Mapping[str, Any] = field(default_factory=dict)
    told: Sequence[tuple[str, str]] | None = None
    said: Sequence[tuple[Sequence[str], Sequence[str]]] | None = None
    visit: str = "v-{mark}"
    told_other: Sequence[tuple[str, str]] | None = None
    noticed: tuple[Sequence[str], Sequence[str]] | None = None
    told_at: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    cleared: Mapping[str, str] | None = None

    @property
    def is_answered(self) -> bool:
        """Whether the patient answers to a message."""
        return any(isinstance(one, Answer) for one in self.input)


@dataclass
class Seen:
    """What became of a case."""

    case: Case
    words: "Words"
    answers: list[httpx2.Response] = field(default_factory=list)
    held: Any = None
    told: list[tuple[str, str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    told_other: list[tuple[str, str]] = field(default_factory=list)
    noticed: tuple[list[str], ...] = ()
    told_at: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    cleared: dict[str, str] | None = None

    def judge(self) -> None:
        """Compare with what is expected."""
        posts = [one for one in self.case.input if isinstance(one, Post)]
        for number, (post, answer) in enumerate(zip(posts, self.answers, strict=True)):
            said = f"post {number}: {answer.status_code} {answer.text}"
            assert answer.status_code == post.status, said
            body = answer.json() if answer.content else {}
            for place, value in self.words.filled(post.answer).items():
                found = answer.headers.get(place) if place[:1].isupper() else member(body, place)
                assert found == value, f"{place}: {said}"
            if post.warnings is not None:
                expected = [tuple(warning) for warning in self.words.filled(list(post.warnings))]
                found = [one for one in warnings_in(body) if one in expected or one[0] not in STRANGERS]
                assert sorted(found) == sorted(expected), said
        for name, value in self.words.filled(self.case.held).items():
            assert self.held is not None, "there is no such appointment"
            assert _same(member(self.held, name), value), f"{name}: {self.held}"
        if self.case.cleared is not None:
            assert self.cleared == self.case.cleared
        _compare(self.told, self.case.told)
        _compare(self.told_other, self.case.told_other)
        told = self.case.said is not None
        for text, (there, absent) in zip(self.said, self.words.filled(self.case.said or ()), strict=told):
            assert [words for words in there if words not in text] == [], text
            assert [words for words in absent if words in text] == [], text
        for address, expected in self.words.filled(self.case.told_at).items():
            _compare(self.told_at[address], expected)
        if self.case.noticed is not None:
            assert self.noticed == tuple(map(list, self.case.noticed))


@dataclass(frozen=True)
class Words:
    """What the words in braces stand for."""

    texts: Mapping[str, str]
    instants: Mapping[str, datetime]
    providers: tuple[str, ...] = ()
    other: Person | None = None

    def filled(self, value: Any) -> Any:
        """Return the JSON value with its words replaced."""
        if isinstance(value, Mapping):
            return {self.filled(name): self.filled(one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.filled(one) for one in value]
        if isinstance(value, bytes):
            return self.filled(value.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        for word, stands_for in self.texts.items():
            text = text.replace(f"{{{word}}}", stands_for)
        return _INSTANT.sub(self._instant, text)

    def _instant(self, found: re.Match[str]) -> str:
        name, sign, count, unit, shape = found.groups()
        distance = timedelta(**{_UNITS[unit]: int(count)}) if unit else timedelta()
        instant = self.instants[name] + (-distance if sign == "-" else distance)
        return instant.astimezone(ZoneInfo(ZONE)).strftime(shape) if shape else f"{instant:%Y-%m-%dT%H:%M:%SZ}"


async def observe(running: Installation, cases: Sequence[Case], later: timedelta | None = None) -> dict[str, Seen]:
    """Post the cases side by side, the n-th input of each and then a wait until all is quiet, and return what is seen.

    Args:
        later: How much time passes in the end, for what is sent then.
    """
    async with Client(running) as client, httpx2.AsyncClient(timeout=30) as http:
        driver = Driver(client, running)
        now = await next_morning(driver, running)
        practice = Practice(client, driver, now)
        people = {case.name: await practice.new_patient(preferences=_preferences(case)) for case in cases}
        assert len(people) == len(cases), "two cases have one name"
        seen = {case.name: Seen(case, await _words(practice, people[case.name], case)) for case in cases}
        for turn in range(max((len(case.input) for case in cases), default=0)):
            for name, one in seen.items():
                given = one.case.input[turn] if turn < len(one.case.input) else None
                if isinstance(given, Post):
                    one.answers.append(await _sent(http, running, given, await _words_for(http, running, one, given)))
                elif given is not None:
                    await _answer(practice, people[name], given.word, partial(_held_of, http, running, one))
            await driver.settle()
        if later is not None:
            await driver.run_until(now + later, {})
        for name, one in seen.items():
            one.held = await _held_of(http, running, one)
            one.cleared = await _cleared_of(http, running, one) if one.case.cleared is not None else None
            one.told, one.said = await _told(practice, people[name]), await practice.texts(people[name])
            one.told_other = await _told(practice, one.words.other) if one.words.other else []
            one.told_at = {at: await _told_at(client, at) for at in one.words.filled(one.case.told_at)}
            inboxes = [await client.inbox(provider) for provider in one.words.providers]
            one.noticed = tuple([row["title"] for row in rows] for rows in inboxes)
    return seen


def _preferences(case: Case) -> dict[str, bool] | None:
    return {"whatsapp": False, "sms": True, "email": False} if case.is_answered else None


async def _answer(practice: Practice, person: Person, word: str, held: Callable[[], Awaitable[Any]]) -> None:
    """Let the patient answer, and wait until booking has given his visit a version for it."""
    bodies = [str(message["body"]) for _, message in await practice.accepted(person)]
    code = next(found[1] for body in reversed(bodies) if (found := _CODE.search(body)))
    before = (await held())["version"]
    await practice.client.ask("sinks", "POST", "/inbound", {"sender": person.mobile, "body": f"{word} {code}"})

    async def is_taken() -> bool:
        return bool((await held())["version"] > before)

    await until(is_taken, f"the answer {word}")


async def _told(practice: Practice, person: Person) -> list[tuple[str, str]]:
    return [_words_of(message) for _, message in await practice.accepted(person)]


async def _told_at(client: Client, address: str) -> list[tuple[str, str]]:
    return [_words_of(message) for message in await client.accepted() if address_of(message) == address]


def _words_of(message: Mapping[str, Any]) -> tuple[str, str]:
    return message["channel"], str(message.get("subject") or message["body"])


async def _words(practice: Practice, person: Person, case: Case) -> Words:
    clinic, mark = await practice.new_clinic(), practice.mark()
    body = {"name": f"Clinic {clinic}", "zone": ZONE, "languages": ["en"], "country": "GB"}
    names = [{"system": system, "value": clinic} for system in ("Location", "AIL-3.4")]
    await practice.client.ask("booking", "PUT", f"/v1/clinics/{clinic}", {**body, "identifiers": names})
    if case.is_answered:
        await practice.client.ask("notifier", "PUT", f"/v1/clinics/{clinic}/sending", {"replies": True})
    doctors = {"provider": f"dr-{mark}", "provider2": f"dr2-{mark}"}
    entered = [
        await practice.client.ask("booking", "PUT", f"/v1/providers/{one}", {"name": "Dr Who"}, source=SOURCE)
        for one in doctors.values()
    ]
    other = await practice.new_patient(registered=False)
    own = {"mark": mark, "patient": person.source_id, "clinic": clinic, **doctors, "other": other.source_id}
    own |= {"other_mobile": other.mobile, "other_email": other.email}
    start = practice.now + timedelta(days=3)
    instants = {"NOW": practice.now, "S": start, "E": start + timedelta(minutes=30)}
    texts = {**own, "mobile": person.mobile, "email": person.email}
    return Words(texts, instants, tuple(one["provider_id"] for one in entered), other)


async def _words_for(http: httpx2.AsyncClient, running: Installation, seen: Seen, post: Post) -> Words:
    if "{visit_id}" not in post.path:
        return seen.words
    held = await _held_of(http, running, seen)
    return replace(seen.words, texts={**seen.words.texts, "visit_id": held["appointment_id"]})


async def _sent(http: httpx2.AsyncClient, running: Installation, post: Post, words: Words) -> httpx2.Response:
    body = words.filled(post.body)
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    key = running.operator_key if post.by_operator or post.service == "notifier" else running.key
    headers = {"Authorization": f"Bearer {key}", "Content-Type": post.content_type}
    url = f"{running.urls[post.service]}{words.filled(post.path)}"
    return await http.request(post.method, url, content=content, headers=headers)


def _compare(told: Sequence[tuple[str, str]], expected: Sequence[tuple[str, str]] | None) -> None:
    if expected is not None:
        assert [channel for channel, _ in told] == [channel for channel, _ in expected], told
        for (_, text), (_, words) in zip(told, expected, strict=True):
            assert words in text


async def _held_of(http: httpx2.AsyncClient, running: Installation, seen: Seen) -> Any:
    visit = seen.words.filled(seen.case.visit)
    headers = {"Authorization": f"Bearer {running.key}"}
    url = f"{running.urls['booking']}/v1/appointments"
    answer = await http.get(url, params={"source": SOURCE, "id": visit}, headers=headers)
    return answer.json().get("current") if answer.is_success else None


async def _cleared_of(http: httpx2.AsyncClient, running: Installation, seen: Seen) -> dict[str, str]:
    visit = seen.held["appointment_id"]
    headers = {"Authorization": f"Bearer {running.key}"}
    answer = await http.get(f"{running.urls['booking']}/v1/appointments/{visit}/clearances", headers=headers)
    return {one["kind"]: one["state"] for one in answer.json()["current"]}


STRANGERS = frozenset({"UNKNOWN_PATIENT", "UNKNOWN_PROVIDER"})
"""Warnings of those whom nobody made known: a case that does not name them judges something else."""


def warnings_in(answer: Any) -> list[Warned]:
    """Return code and place of the warnings in an answer: a member of ours, or OperationOutcomes of FHIR."""
    if "resourceType" not in answer:
        return [(one["code"], one["place"]) for one in answer.get("warnings", ())]
    if answer["resourceType"] == "OperationOutcome":
        answer = {"contained": [{**answer, "issue": [one for one in answer["issue"] if one["severity"] == "warning"]}]}
    entries = [entry["resource"] for entry in answer.get("entry", ())]
    outcomes = [r for r in (*entries, *answer.get("contained", ())) if r["resourceType"] == "OperationOutcome"]
    issues = [issue for outcome in outcomes for issue in outcome["issue"]]
    return [(i["details"]["coding"][0]["code"], i.get("expression", [""])[0]) for i in issues]


def member(value: Any, path: str) -> Any:
    """Return what stands in a JSON value under names and numbers with points between them; None if nothing does."""
    for part in path.split("."):
        if isinstance(value, list):
            value = value[int(part)] if int(part) < len(value) else None
        elif isinstance(value, dict):
            value = value.get(part)
        else:
            return None
    return value


def _same(found: Any, expected: Any) -> bool:
    """Say whether two JSON values are the same; instants, however they are written."""
    if isinstance(found, str) and isinstance(expected, str) and found != expected:
        try:
            return datetime.fromisoformat(found) == datetime.fromisoformat(expected)
        except ValueError:
            return False
    return bool(found == expected)
