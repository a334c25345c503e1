"""Carriers' callbacks: who signed them, and what they say."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from pydantic import SecretStr

from notifier.adapters.callbacks import meta, twilio
from notifier.adapters.callbacks.signatures import (
    is_one_of,
    meta_is_genuine,
    meta_signature,
    twilio_is_genuine,
    twilio_signature,
)
from notifier.adapters.callbacks.twilio import Unreadable
from notifier.domain.receipts import Reported
from notifier.domain.replies import Meaning
from notifier.settings import several
from schemas.notifications import Channel

URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675310"),
    ("Digits", "1234"),
    ("From", "+14158675310"),
    ("To", "+18005551212"),
]
"""Twilio's own example: twilio.com/docs/usage/security and `example/` of twilio-php; token 12345."""
SIGNED = "GvWf1cFY/Q7PnoempGyD5oXAezc="
ATTEMPT = UUID("01890000-0000-5000-8000-000000000005")


def test_twilios_published_example_has_the_published_signature() -> None:
    assert twilio_signature("12345", URL, reversed(FORM)) == SIGNED


def test_a_form_is_genuine_for_any_of_our_tokens_and_never_for_an_empty_one() -> None:
    assert twilio_is_genuine(["", "other", "12345"], URL, FORM, SIGNED)
    assert not twilio_is_genuine(["12345"], URL + "&x=1", FORM, SIGNED)
    assert not twilio_is_genuine(["12345"], URL, [*FORM, ("Digits", "9")], SIGNED)
    assert not twilio_is_genuine([""], URL, FORM, twilio_signature("", URL, FORM))
    assert not twilio_is_genuine(["12345"], URL, FORM, "")


def test_a_signature_of_strange_characters_is_wrong_and_breaks_nothing() -> None:
    assert not twilio_is_genuine(["12345"], URL, FORM, "\u00e9\ud800")
    assert not meta_is_genuine(["s"], b"{}", "sha256=\u00e9")


def test_metas_signature_is_over_the_bytes_as_they_came() -> None:
    # RFC 4231, test case 2: key "Jefe"
    body = b"what do ya want for nothing?"
    given = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert meta_signature("Jefe", body) == given
    assert meta_is_genuine(["other", "Jefe"], body, given)
    assert not meta_is_genuine(["Jefe"], body + b" ", given)
    assert not meta_is_genuine(["Jefe"], body, given.removeprefix("sha256="))
    assert not meta_is_genuine([""], body, meta_signature("", body))


def test_a_shared_secret_is_compared_whole() -> None:
    assert is_one_of(["a", "bc"], "bc")
    assert not is_one_of(["a", ""], "")


@pytest.mark.parametrize(
    ("said", "means"),
    [("queued", Reported.ACCEPTED), ("sent", Reported.ACCEPTED), ("delivered", Reported.DELIVERED),
     ("read", Reported.READ), ("undelivered", Reported.UNDELIVERED), ("failed", Reported.UNDELIVERED)],
)  # fmt: skip
def test_twilios_statuses(said: str, means: Reported) -> None:
    report = twilio.receipt_of(twilio.form_of(f"MessageSid=SM1&MessageStatus={said}&ErrorCode=30003".encode()), ATTEMPT)

    assert (report.status, report.reference, report.code, report.attempt_id) == (means, "SM1", "TWILIO_30003", ATTEMPT)


@pytest.mark.parametrize(
    "body", [b"", b"MessageSid=SM1", b"MessageStatus=sent", b"MessageSid=SM1&MessageStatus=dancing", b"MessageSid=%ff",
             "MessageSid=\u00e9".encode(), b"a=1&" * 300],
)  # fmt: skip
def test_what_is_no_status_of_twilios_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        twilio.receipt_of(twilio.form_of(body), ATTEMPT)


def test_a_code_that_is_none_is_dropped() -> None:
    report = twilio.receipt_of([("MessageSid", "SM1"), ("MessageStatus", "failed"), ("ErrorCode", "Ada")], ATTEMPT)
    assert report.code is None


def test_an_sms_and_a_whatsapp_message_by_twilio() -> None:
    sms = twilio.incoming_of(twilio.form_of(b"MessageSid=SM2&From=%2B442071838750&Body=Stop&OptOutType=STOP"))
    assert (sms.channel, sms.sender, sms.text, sms.carrier_says) == (
        Channel.SMS, "+442071838750", "Stop", Meaning.STOP,
    )  # fmt: skip
    app = twilio.incoming_of([("MessageSid", "SM3"), ("From", "whatsapp:+442071838750"), ("Body", "")])
    assert (app.channel, app.sender) == (Channel.WHATSAPP, "+442071838750")
    assert sms.reply_id != app.reply_id


@pytest.mark.parametrize("sender", ["", "CLINIC", "+44 20", "+" + "1" * 30])
def test_a_sender_that_is_no_number_is_unreadable(sender: str) -> None:
    with pytest.raises(Unreadable):
        twilio.incoming_of([("MessageSid", "SM3"), ("From", sender), ("Body", "C")])


def webhook(**value: Any) -> bytes:
    """Return a body of Meta's with one change."""
    change = {"field": "messages", "value": {"messaging_product": "whatsapp", **value}}
    return orjson.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]})


def test_metas_statuses_and_answers_in_one_body() -> None:
    statuses = [
        {"id": "wamid.1", "status": "delivered", "timestamp": "1750857384", "recipient_id": "442071838750",
         "biz_opaque_callback_data": str(ATTEMPT)},
        {"id": "wamid.2", "status": "failed", "timestamp": "1750857385", "errors": [{"code": 131026, "title": "x"}]},
        {"id": "wamid.3", "status": "warning", "timestamp": "1750857386"},
    ]  # fmt: skip
    messages = [
        {"id": "wamid.4", "from": "442071838750", "type": "text", "text": {"body": "C"}},
        {"id": "wamid.5", "from": "442071838750", "type": "button", "button": {"text": "Yes", "payload": "p"}},
        {"id": "wamid.6", "from": "442071838750", "type": "image", "image": {"id": "1"}},
        {"id": "wamid.7", "from": "442071838750", "type": "reaction", "reaction": {"emoji": "x"}},
    ]

    reports, answers = meta.read(webhook(statuses=statuses, messages=messages))

    assert [(one.status, one.reference, one.attempt_id, one.code) for one in reports] == [
        (Reported.DELIVERED, "wamid.1", ATTEMPT, None),
        (Reported.UNDELIVERED, "wamid.2", None, "META_131026"),
    ]
    assert reports[0].occurred_at == datetime(2025, 6, 25, 13, 16, 24, tzinfo=UTC)
    assert [(one.sender, one.text) for one in answers] == [("+442071838750", text) for text in ("C", "Yes", "")]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"entry": 1}', b'{"entry": [1]}', webhook(statuses=[1]), webhook(statuses=[{}]),
     webhook(messages=[{"id": "1", "from": "Ada"}]), webhook(statuses=[{"id": 1, "status": "sent"}])],
)  # fmt: skip
def test_what_is_not_of_metas_shape_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        meta.read(body)


def test_a_webhook_of_another_kind_says_nothing() -> None:
    assert meta.read(webhook(event="APPROVED")) == ([], [])


def test_a_setting_may_hold_the_old_secret_beside_the_new_one() -> None:
    assert several(SecretStr("new, old ,")) == ("new", "old")
    assert several(SecretStr("")) == ()
