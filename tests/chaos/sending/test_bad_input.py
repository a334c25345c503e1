"""Bad names, numbers and addresses through the real path: what the door takes, and what leaves at the carriers."""

import re
import unicodedata
from email import message_from_string, policy
from typing import Any

import phonenumbers
import pytest

from schemas.reminders import Reason
from tests.chaos.sending.upstream import Upstream, booking
from tests.support import databases
from tests.support.carriers.log import Taken
from tests.support.installation import Installation
from tests.support.notifier.running import RunningNotifier

pytestmark = pytest.mark.integration

HOSTILE = "evil@example.net"
TAKEN = {
    "an address": f'Ada" <{HOSTILE}>, "x',
    "template syntax": "{{ 7*191 }}{% for x in range(9) %}ab{% endfor %}{# c #}",
    "format syntax": "%s%n{0.__class__}${HOME}",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "a link": "https://example.net/x",
    "a dot alone on its line": ".",
    "letters of three scripts": "Ада 李 مريم",
    "a joined letter": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
}
"""Given names that somebody may have, or that some record has: the door takes them."""

REFUSED = {
    "CR and LF": f"Ada\r\nBcc: {HOSTILE}",
    "LF": f"Ada\nBcc: {HOSTILE}",
    "an encoded word": f"=?utf-8?q?hi=0ABcc:{HOSTILE}?=",
    "an encoded word in base64": "=?utf-8?b?aGkKQmNjOiBldmlsQGV4YW1wbGUubmV0?=",
    "bidi": "\u202eadA\u202c",
    "10,000 characters": "A" * 10_000,
}
"""Given names that the door does not take; a record that is older than the door may have them all the same."""

NUMBERS = {
    "of no country": "+999123456789",
    "too short": "+4420",
    "of a word": "+44CALLME",
    "extension": "+442071838750x9",
}
CONTACTS = {"mobile": "+447911830001", "email": "ada@example.org", "language": "en", "consent": True}
LONGEST_SMS = 1600
LONGEST_LINE = 998
"""Of a mail, by RFC 5322."""


async def put(upstream: Upstream, name: str, **fields: Any) -> tuple[int, dict[str, Any]]:
    """Register a patient by the door; return the status and the answer."""
    body = {"family_name": "Abara", "do_not_contact": False, **CONTACTS, **fields}
    answer = await upstream.http.put(f"/v1/patients/{name}", json=body)
    return answer.status_code, answer.json()


async def test_what_no_carrier_should_see_is_refused_at_the_door(
    notifier: RunningNotifier, installation: Installation
) -> None:
    async with booking(notifier, installation) as upstream:
        taken = {name: await put(upstream, name, given_name=given) for name, given in TAKEN.items()}
        names = {name: await put(upstream, "p", given_name=given) for name, given in REFUSED.items()}
        numbers = {name: await put(upstream, "p", given_name="Ada", mobile=number) for name, number in NUMBERS.items()}
    assert {name: status for name, (status, _) in taken.items()} == dict.fromkeys(TAKEN, 200)
    assert {name: status for name, (status, _) in names.items()} == dict.fromkeys(REFUSED, 422)
    assert {name: (status, said["code"]) for name, (status, said) in numbers.items()} == dict.fromkeys(
        NUMBERS, (422, "BAD_PHONE")
    )
    answers = " ".join(str(said) for _, said in (*names.values(), *numbers.values()))
    assert HOSTILE not in answers
    assert "adA" not in answers


async def test_whatever_a_name_is_what_leaves_is_one_clean_message(notifier: RunningNotifier) -> None:
    everybody = {**TAKEN, **REFUSED}
    patients = [await notifier.patient(given_name=given, family_name=given) for given in everybody.values()]
    await notifier.start()
    visits = [await notifier.book(patient) for patient in patients]
    for visit in visits:
        await notifier.settled(visit, "confirmation", "accepted")  # whom a reminder told first needs none
    for visit in visits:
        await notifier.due(visit)
    for visit in visits:
        await notifier.settled(visit, "reminder", "accepted")
    for name, patient in zip(everybody, patients, strict=True):
        [sms] = notifier.carriers.to(await notifier.address(patient, "mobile"))
        email = await notifier.address(patient, "email")
        [mail] = notifier.carriers.to(email)
        _is_clean_sms(name, sms)
        _is_clean_mail(name, mail, email)


NONE = {
    "mobile": ("442071830001", "+44 20 7183 0001", "+4420", "+44207183000100000", "+442071830001\r\nX: y"),
    "email": (
        f"ada@example.org, {HOSTILE}",
        f"ada@example.org>\r\nRCPT TO:<{HOSTILE}",
        f"ada@example.org\nBcc: {HOSTILE}",
        '"ada\r\n"@example.org',
        "ada",
    ),
}
"""What no carrier could take; the door would refuse it."""


async def test_an_address_that_is_none_is_no_contact_and_nothing_leaves(notifier: RunningNotifier) -> None:
    visits = []
    for column, addresses in NONE.items():
        for address in addresses:
            contacts: dict[str, Any] = {"mobile": None, "email": None, column: address}
            visits.append(notifier.visit(await notifier.patient(**contacts)))
            await notifier.hold(visits[-1])
            await notifier.due(visits[-1])
    await notifier.start()
    for visit in visits:
        assert (await notifier.settled(visit, "reminder", "skipped"))["reason"] == Reason.NO_CONTACT
    assert notifier.carriers.asked == []


def _is_clean_sms(name: str, sms: Taken) -> None:
    assert phonenumbers.is_possible_number(phonenumbers.parse(sms.to)), name
    assert 0 < len(sms.body) <= LONGEST_SMS, name
    _is_clean_text(name, sms.body)


def _is_clean_mail(name: str, mail: Taken, address: str) -> None:
    received = message_from_string(mail.body, policy=policy.default)
    assert received.defects == [], name
    assert [field.lower() for field in received if field.lower() in {"to", "cc", "bcc", "from", "subject"}] == [
        *("from", "to", "subject")
    ], name
    assert [one.addr_spec for one in received["To"].addresses] == [address], name
    assert [one.domain for one in received["From"].addresses] == ["attend.example"], name
    assert max(len(line) for line in mail.body.splitlines()) <= LONGEST_LINE, name
    _is_clean_text(name, received["Subject"])
    for part in received.walk():
        if part.get_content_type() == "text/plain":
            _is_clean_text(name, part.get_content())
        if part.get_content_type() == "text/html":
            assert not re.search(r"<\s*(script|img|iframe)|\son\w+\s*=", part.get_content(), re.IGNORECASE), name


def _is_clean_text(name: str, text: str) -> None:
    assert "1337" not in text, name  # 7 times 191: nothing of a name is evaluated
    assert HOSTILE not in text, name
    assert "ababab" not in text, name
    assert "<" not in text, name
    odd = {character for character in text if unicodedata.category(character)[0] == "C"} - {
        "\n",
        "\r",
        "\u200c",
        "\u200d",
    }
    assert odd == set(), name


async def test_a_clinics_hostile_name_stays_a_display_name(
    notifier: RunningNotifier, installation: Installation
) -> None:
    hostile = f'North" <{HOSTILE}>,\r\nBcc: {HOSTILE}\r\n =?utf-8?q?=0ABcc:{HOSTILE}?='
    await databases.execute(installation.admin_url, f"UPDATE booking.clinic SET name = $${hostile}$$")  # noqa: S608
    patient = await notifier.patient()
    await notifier.start()
    visit = await notifier.book(patient)
    await notifier.settled(visit, "confirmation", "accepted")
    [mail] = notifier.carriers.taken
    received = message_from_string(mail.body, policy=policy.default)
    assert [one.domain for one in received["From"].addresses] == ["attend.example"]
    assert [one.addr_spec for one in received["To"].addresses] == [await notifier.address(patient, "email")]
    assert not {"bcc", "cc"} & {field.lower() for field in received}
