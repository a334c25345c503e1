"""Carriers' callbacks: who signed them, and what they say."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from notifier.callbacks.handle.intake import Batch, Unread
from notifier.callbacks.secrets import CallbackSecrets, is_one_of
from notifier.carriers.meta import callbacks as meta
from notifier.carriers.meta.signature import meta_is_genuine, meta_signature, meta_signers
from notifier.carriers.twilio import callbacks as twilio
from notifier.carriers.twilio.callbacks import Unreadable
from notifier.carriers.twilio.signature import twilio_is_genuine, twilio_signature
from notifier.receipts.domain import Reported
from notifier.replies.domain.reading import Meaning
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


def read_meta(body: bytes, *signers: str) -> Batch:
    """Read a body for the installation's number, `0`, or for those that signed it."""
    return meta.read(body, frozenset(signers or ("0",)), "0")


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
    form = twilio.form_of(f"MessageSid=SM1&MessageStatus={said}&ErrorCode=30003".encode())
    report = twilio.receipt_of(form, str(ATTEMPT))

    assert (report.status, report.reference, report.code, report.attempt_id) == (means, "SM1", "TWILIO_30003", ATTEMPT)


@pytest.mark.parametrize(
    "body", [b"", b"MessageSid=SM1", b"MessageStatus=sent", b"MessageSid=SM1&MessageStatus=dancing", b"MessageSid=%ff",
             "MessageSid=\u00e9".encode(), b"a=1&" * 300, b"MessageSid=SM%00&MessageStatus=sent"],
)  # fmt: skip
def test_what_is_no_status_of_twilios_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        twilio.receipt_of(twilio.form_of(body), str(ATTEMPT))


def test_a_form_that_cannot_be_read_is_kept_as_it_came_with_the_field_that_is_wrong() -> None:
    body = b"MessageSid=SM1&MessageStatus=dancing"
    form = twilio.form_of(body)

    assert twilio.read_status(form, str(ATTEMPT), body) == Batch(unread=[Unread("MessageStatus", body)])
    assert twilio.read_inbound(form, body) == Batch(unread=[Unread("From", body)])
    assert twilio.read_status([("MessageSid", "SM1"), ("MessageStatus", "sent")], "not-an-id", body).unread == [
        Unread("attempt", body)
    ]


def test_a_code_that_is_none_is_dropped() -> None:
    report = twilio.receipt_of([("MessageSid", "SM1"), ("MessageStatus", "failed"), ("ErrorCode", "Ada")], str(ATTEMPT))
    assert report.code is None


def test_an_sms_and_a_whatsapp_message_by_twilio() -> None:
    sms = twilio.incoming_of(twilio.form_of(b"MessageSid=SM2&From=%2B442071838750&Body=Stop&OptOutType=STOP"))
    assert (sms.channel, sms.sender, sms.text, sms.carrier_says) == (
        Channel.SMS, "+442071838750", "Stop", Meaning.STOP,
    )  # fmt: skip
    app = twilio.incoming_of([("MessageSid", "SM3"), ("From", "whatsapp:+442071838750"), ("Body", "")])
    assert (app.channel, app.sender) == (Channel.WHATSAPP, "+442071838750")
    assert sms.reply_id != app.reply_id


@pytest.mark.parametrize("sender", ["", "CLINIC", "+44 20", "+" + "1" * 30, "+\u0664\u0664", "44207", "+"])
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

    read = read_meta(webhook(statuses=statuses, messages=messages))
    reports, answers = [one.said for one in read.reports], [one.said for one in read.answers]

    assert not read.unread
    assert [(one.status, one.reference, one.attempt_id, one.code) for one in reports] == [
        (Reported.DELIVERED, "wamid.1", ATTEMPT, None),
        (Reported.UNDELIVERED, "wamid.2", None, "META_131026"),
    ]
    assert reports[0].occurred_at == datetime(2025, 6, 25, 13, 16, 24, tzinfo=UTC)
    assert [(one.sender, one.text) for one in answers] == [("+442071838750", text) for text in ("C", "Yes", "")]


GOOD = {"id": "wamid.1", "status": "delivered"}
STOP = {"id": "wamid.2", "from": "442071838750", "type": "text", "text": {"body": "STOP"}}


@pytest.mark.parametrize(
    ("odd", "place"),
    [(1, "statuses"), ({}, "statuses.id"), ({"id": 1, "status": "sent"}, "statuses.id"), (None, "statuses"),
     ({"id": "1", "status": "dancing"}, "statuses.status"), ({"id": "1", "status": ["sent"]}, "statuses"),
     ({"id": "a\0b", "status": "sent"}, "statuses.id"), ({"id": "x" * 201, "status": "sent"}, "statuses.id")],
)  # fmt: skip
def test_a_status_that_cannot_be_read_is_kept_and_those_beside_it_are_read(odd: object, place: str) -> None:
    read = read_meta(webhook(statuses=[GOOD, odd, {**GOOD, "status": "read"}], messages=[STOP]))

    assert [one.said.status for one in read.reports] == [Reported.DELIVERED, Reported.READ]
    assert [one.said.text for one in read.answers] == ["STOP"]
    assert read.unread == [Unread(place, orjson.dumps(odd))]


@pytest.mark.parametrize(
    ("odd", "place"),
    [({"id": "wamid.9", "type": "text", "text": {"body": "hello"}}, "messages.from"), ("x", "messages"),
     ({"id": "1", "from": "Ada"}, "messages.from"), ({**STOP, "from": "\u0664"}, "messages.from"),
     ({**STOP, "text": "STOP"}, "messages"), ({**STOP, "text": {"body": 7}}, "messages.text"), ([], "messages")],
)  # fmt: skip
def test_a_message_that_cannot_be_read_does_not_take_the_stop_beside_it_along(odd: object, place: str) -> None:
    read = read_meta(webhook(messages=[odd, STOP], statuses=[GOOD]))

    assert [one.said.text for one in read.answers] == ["STOP"]
    assert len(read.reports) == 1
    assert read.unread == [Unread(place, orjson.dumps(odd))]


BSUID, PARENT = "GB.13491208655302741918", "GB.ENT.11815799212886844830"


def test_a_sender_without_a_number_is_known_by_his_business_scoped_id() -> None:
    hidden = {"id": "wamid.3", "from_user_id": BSUID, "from_parent_user_id": PARENT, "type": "text",
              "text": {"body": "STOP"}}  # fmt: skip
    both = {**STOP, "from_user_id": BSUID}

    read = read_meta(webhook(messages=[hidden, both, {**hidden, "from_user_id": "@ada", "from_parent_user_id": 7}]))

    assert [(one.said.sender, one.said.user_ids) for one in read.answers] == [
        (None, (BSUID, PARENT)), ("+442071838750", (BSUID,)),
    ]  # fmt: skip
    assert [one.reason for one in read.unread] == ["messages.from"]


def test_a_report_says_whose_id_its_message_went_to_with_or_without_his_number() -> None:
    (report,) = read_meta(webhook(statuses=[{**GOOD, "recipient_user_id": BSUID}])).reports

    assert report.said.user_ids == (BSUID,)


def test_twilio_hands_a_business_scoped_id_on_in_place_of_the_number() -> None:
    hidden = twilio.incoming_of([("MessageSid", "SM3"), ("From", f"whatsapp:{BSUID}"), ("Body", "STOP")])
    both = twilio.incoming_of(
        [("MessageSid", "SM3"), ("From", "whatsapp:+442071838750"), ("ExternalUserId", BSUID), ("Body", "C")]
    )

    assert (hidden.channel, hidden.sender, hidden.user_ids) == (Channel.WHATSAPP, None, (BSUID,))
    assert (both.sender, both.user_ids) == ("+442071838750", (BSUID,))
    with pytest.raises(Unreadable):
        twilio.incoming_of([("MessageSid", "SM3"), ("From", BSUID), ("Body", "STOP")])


def test_a_change_or_an_entry_that_cannot_be_read_leaves_the_others() -> None:
    [good] = orjson.loads(webhook(statuses=[GOOD]))["entry"]
    body = orjson.dumps(
        {"entry": [1, {"id": "2"}, {"changes": [None, {"value": []}, {"value": {"statuses": 5}}]}, good]}
    )

    read = read_meta(body)

    assert [one.said.reference for one in read.reports] == ["wamid.1"]
    assert [one.reason for one in read.unread] == ["entry", "changes", "changes", "value", "statuses"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"", "JSON"), (b"{", "JSON"), (b"\xff", "JSON"), (b"[" * 5_000, "JSON"), (b"[]", "entry"), (b"null", "entry"),
     (b'{"entry": 1}', "entry")],
)  # fmt: skip
def test_a_body_that_is_not_of_metas_shape_is_kept_whole(body: bytes, reason: str) -> None:
    read = read_meta(body)

    assert (list(read.reports), list(read.answers)) == ([], [])
    assert [one.reason for one in read.unread] == [reason]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["entry", "changes", "value", "statuses", "messages", "id", "from", "status", "text", "body",
                         "type", "timestamp", "errors", "code", "button"]), inner, max_size=5),
    max_leaves=25,
)  # fmt: skip


@given(ANYTHING)
def test_whatever_comes_it_is_read_or_kept(value: object) -> None:
    try:
        body = orjson.dumps(value)
    except TypeError:
        return  # an integer that JSON has no place for
    read = read_meta(webhook(statuses=[value, GOOD], messages=[value, STOP]))
    assert read.reports[-1].said.reference == "wamid.1"
    assert read.answers[-1].said.text == "STOP"
    assert isinstance(read_meta(body), Batch)


def test_a_webhook_of_another_kind_says_nothing() -> None:
    assert read_meta(webhook(event="APPROVED")) == Batch([], [], [])


def test_a_setting_may_hold_the_old_secret_beside_the_new_one() -> None:
    assert several(SecretStr("new, old ,")) == ("new", "old")
    assert several(SecretStr("")) == ()


def of_number(number: object, **value: object) -> dict[str, object]:
    return {"value": {"metadata": {"phone_number_id": number}, **value}}


@pytest.mark.parametrize(
    ("signers", "taken"), [(("100", "0"), ["100", "0"]), (("100",), ["100"]), (("0",), ["0"]), (("200",), [])]
)
def test_b10_of_a_body_only_what_is_said_of_its_signers_numbers_is_taken(
    signers: tuple[str, ...], taken: list[str]
) -> None:
    changes = [of_number("100", statuses=[GOOD]), of_number("100", messages=[STOP]), {"value": {"statuses": [GOOD]}}]
    read = read_meta(orjson.dumps({"entry": [{"changes": changes}]}), *signers)

    assert [one.said.account for one in read.reports] == taken
    assert [one.said.account for one in read.answers] == ["100"] * ("100" in signers)
    assert {one.reason for one in read.unread} == ({"metadata.phone_number_id"} if len(taken) < 2 else set())


@pytest.mark.parametrize("number", [None, 7, ["100"], {"a": 1}, ""])
def test_a_number_that_is_none_is_nobodys(number: object) -> None:
    read = read_meta(orjson.dumps({"entry": [{"changes": [of_number(number, statuses=[GOOD])]}]}), "100", "0")

    assert (list(read.reports), [one.reason for one in read.unread]) == ([], ["metadata.phone_number_id"])


def test_a_form_is_signed_by_the_account_that_it_names_or_by_the_installations() -> None:
    secrets = CallbackSecrets(twilio={"AC1": ("ours",), "AC2": ("souths",)}, rest={Channel.SMS: "AC1"})

    assert secrets.of_twilio("AC2") == ("AC2", ("souths",))
    assert secrets.of_twilio(None) == ("AC1", ("ours",))
    assert secrets.of_twilio("AC3") == ("AC3", ())


def test_a_body_speaks_for_every_number_whose_app_signed_it() -> None:
    secrets = CallbackSecrets(meta={"100": ("old", "new"), "200": ("new",), "300": ("other",), "400": ()})

    assert meta_signers(secrets.meta, b"{}", meta_signature("new", b"{}")) == {"100", "200"}
    assert meta_signers(secrets.meta, b"{}", meta_signature("", b"{}")) == set()
