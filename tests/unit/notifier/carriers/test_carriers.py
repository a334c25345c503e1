"""What each answer of an HTTP carrier means, and the shape of the requests."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs

import httpx2
import orjson
import pytest
from pydantic import SecretStr

from notifier.carriers.meta.carrier import MetaAccount, WhatsAppCarrier
from notifier.carriers.twilio.carrier import SmsCarrier, TwilioAccount, validity_s
from notifier.gate.domain.channels import Route
from notifier.ledger.domain.faults import Fault
from notifier.ledger.domain.notification import Accepted, CarrierResult, NotAccepted, Rejected, Unsure
from notifier.wording.renderer import Templates
from schemas.notifications import Channel, Kind
from tests.support.notifier.builders import MOBILE, NOW, call

BY_SMS = Route(Channel.SMS, MOBILE)
TWILIO = TwilioAccount("AC1", SecretStr("hush"), "+15005550006", "https://attend.example/")
META = MetaAccount("123", SecretStr("hush"))
SOONER, LATER = "Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:29:30 GMT"


def throttled(seconds: int) -> CarrierResult:
    return NotAccepted("HTTP_429", timedelta(seconds=seconds), Fault.THROTTLE)


async def sent(handler: Callable[[httpx2.Request], httpx2.Response]) -> CarrierResult:
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(handler), base_url="http://carrier") as client:
        return await SmsCarrier(client, lambda _: TWILIO, Templates()).prepare(call(Kind.REMINDER, BY_SMS))()


@pytest.mark.parametrize(
    ("status", "body", "headers", "expected"),
    [
        (201, b'{"sid":"SM1"}', {}, Accepted("SM1")),
        (200, b"<html>", {}, Unsure("HTTP_200_UNREADABLE")),
        (201, b'{"sid":', {}, Unsure("HTTP_201_UNREADABLE")),
        (201, b'{"sid":7}', {}, Unsure("HTTP_201_UNREADABLE")),
        (201, b"[]", {}, Unsure("HTTP_201_UNREADABLE")),
        (202, b"", {}, Unsure("HTTP_202_UNREADABLE")),
        (301, b"", {"Location": "http://elsewhere"}, NotAccepted("HTTP_301")),
        (400, b'{"code":21211}', {}, Rejected("HTTP_400_21211")),
        (400, b'{"code":"Ada"}', {}, Rejected("HTTP_400")),
        (400, b'{"code":true}', {}, Rejected("HTTP_400")),
        (400, b"[1]", {}, Rejected("HTTP_400")),
        (400, b'{"error":"no"}', {}, Rejected("HTTP_400")),
        (400, b"<html>", {}, Rejected("HTTP_400")),
        (400, b'{"code":21606}', {}, NotAccepted("HTTP_400_21606", fault=Fault.SENDER)),
        (401, b"", {}, NotAccepted("HTTP_401", fault=Fault.ACCOUNT)),
        (403, b'{"code":20005}', {}, NotAccepted("HTTP_403_20005", fault=Fault.ACCOUNT)),
        (403, b'{"code":21610}', {}, Rejected("HTTP_403_21610")),
        (404, b"", {}, NotAccepted("HTTP_404", fault=Fault.ACCOUNT)),
        (422, b"", {}, Rejected("HTTP_422")),
        (429, b"", {"Retry-After": "30"}, throttled(30)),
        (429, b"", {"Retry-After": SOONER}, throttled(5)),
        (429, b"", {"Retry-After": LATER, "Date": SOONER}, throttled(90)),
        (429, b"", {"Retry-After": SOONER, "Date": LATER}, throttled(5)),
        (429, b"", {"Retry-After": "in a while", "Date": LATER}, throttled(5)),
        (429, b"", {"Retry-After": "9" * 5000}, throttled(86_400)),
        (429, b"", {"Retry-After": "9" * 30}, throttled(86_400)),
        (500, b"", {}, NotAccepted("HTTP_500")),
        (502, b"", {}, Unsure("HTTP_502")),
        (503, b"", {"Retry-After": "2"}, NotAccepted("HTTP_503", timedelta(seconds=2))),
        (504, b"", {}, Unsure("HTTP_504")),
        (201, b'{"sid":"SM\\u0000"}', {}, Unsure("HTTP_201_UNREADABLE")),
        (201, b'{"sid":"SM\\ud800"}', {}, Unsure("HTTP_201_UNREADABLE")),
    ],
)
async def test_r24_g5_each_answer_is_accepted_rejected_not_accepted_or_unknown(
    status: int, body: bytes, headers: dict[str, str], expected: CarrierResult
) -> None:
    assert await sent(lambda _: httpx2.Response(status, content=body, headers=headers)) == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (httpx2.ConnectError("refused"), NotAccepted("ConnectError")),
        (httpx2.ConnectTimeout("slow"), NotAccepted("ConnectTimeout")),
        (httpx2.LocalProtocolError("empty credential"), NotAccepted("LocalProtocolError")),
        (httpx2.ReadTimeout("silent"), Unsure("ReadTimeout")),
        (httpx2.RemoteProtocolError("cut"), Unsure("RemoteProtocolError")),
        (httpx2.WriteError("cut"), Unsure("WriteError")),
    ],
)
async def test_g5_a_break_is_known_not_accepted_only_before_the_request_left(
    error: httpx2.HTTPError, expected: CarrierResult
) -> None:
    def broken(_: httpx2.Request) -> httpx2.Response:
        raise error

    assert await sent(broken) == expected


async def test_an_sms_is_posted_in_the_shape_of_twilio_with_our_reference() -> None:
    seen: list[httpx2.Request] = []

    def accept(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(201, json={"sid": "SM1"})

    await sent(accept)

    [request] = seen
    form = {name: value for name, [value] in parse_qs(request.content.decode()).items()}
    assert request.url.path == "/2010-04-01/Accounts/AC1/Messages.json"
    assert request.headers["Authorization"] == f"Basic {b64encode(b'AC1:hush').decode()}"
    assert (form["To"], form["From"]) == (MOBILE, "+15005550006")
    assert form["StatusCallback"] == f"https://attend.example/callbacks/twilio/{call().attempt_id}"
    assert "Ada" in form["Body"]
    assert form["ValidityPeriod"] == "36000"


@pytest.mark.parametrize(
    ("left", "seconds"),
    [
        (timedelta(days=2), 36_000),
        (timedelta(hours=10, seconds=15), 36_000),
        (timedelta(hours=10), 35_985),
        (timedelta(minutes=20), 1_185),
        (timedelta(seconds=20, milliseconds=900), 5),
        (timedelta(seconds=15, milliseconds=500), 1),
        (timedelta(0), 1),
    ],
)
def test_an_sms_waits_at_twilio_no_longer_than_it_may_arrive_and_within_what_twilio_takes(
    left: timedelta, seconds: int
) -> None:
    assert validity_s(replace(call(Kind.REMINDER, BY_SMS), arrives_by=NOW + left)) == seconds


@pytest.mark.parametrize(
    ("sensitive", "name", "count"), [(False, "appointment_reminder", 4), (True, "appointment_reminder_neutral", 3)]
)
async def test_a_whatsapp_is_a_template_with_parameters_in_the_shape_of_meta(
    sensitive: bool, name: str, count: int
) -> None:
    seen: list[httpx2.Request] = []

    def accept(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json={"messages": [{"id": "wamid.1"}]})

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(accept), base_url="http://carrier") as client:
        one = call(Kind.REMINDER, Route(Channel.WHATSAPP, MOBILE), clinic_sensitive=sensitive, given_name=None)
        answer = await WhatsAppCarrier(client, lambda _: META).prepare(one)()

    [request] = seen
    body = orjson.loads(request.content)
    assert answer == Accepted("wamid.1")
    assert request.url.path == "/v21.0/123/messages"
    assert request.headers["Authorization"] == "Bearer hush"
    assert body["biz_opaque_callback_data"] == str(one.attempt_id)
    assert (body["to"], body["type"]) == (MOBILE, "template")
    assert (body["template"]["name"], body["template"]["language"]) == (name, {"code": "en"})
    [component] = body["template"]["components"]
    assert [parameter["type"] for parameter in component["parameters"]] == ["text"] * count
    assert all(parameter["text"] for parameter in component["parameters"])


def test_credentials_do_not_show() -> None:
    assert "hush" not in repr(TWILIO) + repr(META)
