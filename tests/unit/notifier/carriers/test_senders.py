"""Accounts per clinic: whose they are, what is inherited, and every error with its place and without its value."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs

import httpx2
import orjson
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from chassis.process.errors import Misconfigured
from notifier.carriers.accounts import Accounts
from notifier.carriers.cli import app
from notifier.carriers.meta.carrier import TEMPLATES, WhatsAppCarrier
from notifier.carriers.senders import Senders, read_senders
from notifier.carriers.smtp.mail import Sender
from notifier.carriers.twilio.carrier import SmsCarrier
from notifier.gate.domain.channels import Route
from notifier.settings import Settings
from notifier.wording.renderer import Templates
from schemas.notifications import Channel, Kind
from tests.support.notifier.builders import MOBILE, call

SID, OTHER_SID = f"AC{'1' * 32}", f"AC{'2' * 32}"
SERVICE = f"MG{'a' * 32}"

FILE = f"""
[installation]
mail_from = "appointments@hospital.example"
sms_sender = "+15005550006"
twilio_account_sid = "{SID}"
twilio_auth_token_file = "secrets/twilio"
meta_phone_number_id = "100"
meta_access_token = "meta-secret"
smtp_host = "mail.hospital.example"
smtp_port = 587
smtp_tls = "starttls"
smtp_username = "attend"
smtp_password = "smtp-secret"

[installation.whatsapp.reminder]
name = "visit_reminder"
languages = {{en = "en_GB", de = "de"}}

[clinics.NORTH]
mail_from = "desk@north.example"
mail_reply_to = "answers@north.example"
sms_sender = "North Clin"
sms_stop_countries = []
visit_minutes = 45

[clinics.SOUTH]
twilio_account_sid = "{OTHER_SID}"
twilio_auth_token = "south-secret"
sms_sender = "{SERVICE}"
smtp_host = "mail.south.example"
meta_phone_number_id = "200"

[clinics.SOUTH.whatsapp.confirmation]
name = "south_booked"
neutral = "south_plain"
languages = {{nl = "nl"}}
parameters = ["name", "short_date", "time"]
"""


def settings(path: Path | None) -> Settings:
    return Settings(
        database_url=SecretStr("postgresql://"), kafka_bootstrap_servers="", senders=path, smtp_host="localhost"
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "twilio").write_text("twilio-secret\n")
    path = tmp_path / "senders.toml"
    path.write_text(FILE)
    return path


@pytest.fixture
def senders(file: Path) -> Senders:
    return read_senders(settings(file))


def test_without_a_file_the_settings_are_the_installations() -> None:
    accounts = read_senders(settings(None)).of("NORTH")

    assert accounts.mail.server.host == "localhost"
    assert accounts.mail.sender == Sender("appointments@attend.example")
    assert accounts.sms.sender == "+15005550006"
    assert accounts.whatsapp.templates == TEMPLATES


def test_a_clinic_without_a_section_uses_the_installations(senders: Senders) -> None:
    accounts = senders.of("EAST")

    assert accounts == senders.installation
    assert accounts.mail.sender == Sender("appointments@hospital.example")
    assert (accounts.mail.server.host, accounts.mail.server.port) == ("mail.hospital.example", 587)
    assert accounts.sms.auth_token.get_secret_value() == "twilio-secret"
    assert accounts.whatsapp.templates[Kind.REMINDER].languages == {"en": "en_GB", "de": "de"}


def test_what_a_clinics_section_leaves_out_is_the_installations(senders: Senders) -> None:
    north, south = senders.of("NORTH"), senders.of("SOUTH")

    longer = timedelta(minutes=45)
    assert north.mail.sender == Sender("desk@north.example", "answers@north.example", visit_lasts=longer)
    assert north.mail.server == senders.installation.mail.server
    assert (north.sms.sid, north.sms.sender, north.sms.stop_countries) == (SID, "North Clin", frozenset())
    assert (south.sms.sid, south.sms.auth_token.get_secret_value()) == (OTHER_SID, "south-secret")
    assert (south.whatsapp.phone_number_id, south.whatsapp.access_token.get_secret_value()) == ("200", "meta-secret")
    assert south.whatsapp.templates[Kind.REMINDER].name == "visit_reminder"
    assert south.whatsapp.templates[Kind.CONFIRMATION].neutral == "south_plain"


def test_another_mail_server_never_sees_the_login_of_the_installations(senders: Senders) -> None:
    server = senders.of("SOUTH").mail.server

    assert (server.host, server.username, server.password) == ("mail.south.example", None, None)


def test_each_accounts_token_signs_for_that_account(senders: Senders) -> None:
    assert senders.twilio_tokens() == {SID: ("twilio-secret",), OTHER_SID: ("south-secret",)}


def test_each_numbers_app_signs_for_that_number(tmp_path: Path) -> None:
    """The installation may have an old secret beside the new one; NORTH names none of its own, SOUTH does."""
    path = tmp_path / "senders.toml"
    path.write_text(
        "[clinics.NORTH]\nmeta_phone_number_id = '1'\n"
        "[clinics.SOUTH]\nmeta_phone_number_id = '2'\nmeta_app_secret = 'souths'\n"
    )
    given = settings(path).model_copy(update={"meta_app_secret": SecretStr("old, new")})

    assert read_senders(given).meta_secrets() == {"0": ("old", "new"), "1": ("old", "new"), "2": ("souths",)}


def test_an_account_is_named_as_its_carrier_knows_it_and_clinics_may_share_one(senders: Senders) -> None:
    accounts = senders.accounts

    assert accounts[Channel.SMS] == Accounts(SID, {"SOUTH": OTHER_SID})
    assert accounts[Channel.WHATSAPP] == Accounts("100", {"SOUTH": "200"})
    assert accounts[Channel.EMAIL].of("NORTH") == accounts[Channel.EMAIL].rest
    assert accounts[Channel.EMAIL].of("SOUTH") == "mail.south.example:587/no-login"
    assert not [secret for secret in ("attend/", "smtp-secret") if secret in accounts[Channel.EMAIL].rest]


def test_no_secret_is_ever_printed(senders: Senders) -> None:
    shown = repr(senders)

    assert "North Clin" in shown
    assert not [secret for secret in ("twilio-secret", "south-secret", "meta-secret", "smtp-secret") if secret in shown]


@pytest.mark.parametrize(
    ("content", "place", "reason"),
    [
        ("[clinics.NORTH]\nsms_sender = 'hush-hush-hush'", "[clinics.NORTH] sms_sender", "MessagingServiceSid"),
        ("[clinics.NORTH]\nmail_from = 'hush hush'", "[clinics.NORTH] mail_from", "match pattern"),
        ('[clinics.NORTH]\nmail_from = "a@hush.example\\nBcc: b@c.example"', "[clinics.NORTH] mail_from", "pattern"),
        ("[clinics.NORTH]\ntwilio_auth_token = 'hush'", "[clinics.NORTH]", "belong together"),
        (
            f"[clinics.NORTH]\ntwilio_account_sid = '{SID}'\ntwilio_auth_token = 'hush'",
            "[clinics.NORTH]",
            "sms_sender of",
        ),
        ("[clinics.NORTH]\nsmtp_host = 'a.example'\nsmtp_username = 'hush'", "[clinics.NORTH]", "belong together"),
        ("[clinics.NORTH]\ntwillio_auth_token = 'hush'", "[clinics.NORTH] twillio_auth_token", "not permitted"),
        ("[clinics.NORTH]\nmeta_access_token = 'hush'\nmeta_access_token_file = 'x'", "meta_access_token_file", "too"),
        ("[installation]\nmeta_access_token_file = 'nowhere'", "[installation] meta_access_token_file", "No such file"),
        ("[installation]\nsms_stop_countries = ['hush']", "[installation] sms_stop_countries", "two capital letters"),
        ("[clinics.north]\n", "[clinics.north]", "no clinic's code"),
        ("[clinic.NORTH]\n", "clinic", "no such section"),
        (
            "[installation.whatsapp.remind]\nname = 'x'\nlanguages = {en = 'en'}",
            "[installation] whatsapp.remind",
            "Input",
        ),
        ("[installation.whatsapp.provider-day]\nname = 'x'\nlanguages = {en = 'en'}", "[installation]", "no message"),
        ("[installation.whatsapp.reminder]\nname = 'x'\nlanguages = {}", "whatsapp.reminder.languages", "one language"),
        ("[installation.whatsapp.reminder]\nname = 'x'\nlanguages = {en = 'hush'}", "reminder.languages", "en_GB"),
        (
            "[installation.whatsapp.reminder]\nname = 'x'\nlanguages = {en = 'en'}\nparameters = ['hush']",
            ".parameters",
            "",
        ),
        ("installation = 1", "[installation]", "a section"),
        ("[installation\n", "no TOML", "line 1"),
    ],
)
def test_what_cannot_be_is_named_at_start_by_file_section_and_key_without_its_value(
    content: str, place: str, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "senders.toml"
    path.write_text(content)

    with pytest.raises(Misconfigured) as caught:
        read_senders(settings(path))

    assert str(path) in caught.value.message
    assert place in caught.value.message
    assert reason in caught.value.message
    assert "hush" not in caught.value.message


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"nowhere\.toml: No such file"):
        read_senders(settings(tmp_path / "nowhere.toml"))


def test_every_error_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "senders.toml"
    path.write_text("[installation]\nsmtp_port = 0\n[clinics.NORTH]\nsmtp_tls = 'ssl'\n[other]\n")

    with pytest.raises(Misconfigured) as caught:
        read_senders(settings(path))

    assert all(place in caught.value.message for place in ("smtp_port", "[clinics.NORTH] smtp_tls", "other"))


def test_the_example_of_the_page_is_a_file_that_a_start_takes(tmp_path: Path) -> None:
    page = Path(__file__).parents[4] / "docs" / "notifier" / "lanes.md"
    example = page.read_text().split("```toml\n")[1].split("```")[0]
    (tmp_path / "secrets").mkdir()
    for name in ("smtp", "twilio", "meta"):
        (tmp_path / "secrets" / name).write_text("hush")
    (tmp_path / "senders.toml").write_text(example)

    accounts = read_senders(settings(tmp_path / "senders.toml"))

    assert accounts.of("NORTH").mail.sender.reply_to == "answers@north.example"
    assert accounts.of("EAST").whatsapp.templates[Kind.REMINDER].neutral == "visit_reminder_neutral"


def test_a_file_can_be_checked_before_a_start_depends_on_it(file: Path) -> None:
    done = CliRunner().invoke(app, ["check", str(file)])

    assert done.exit_code == 0
    assert "twilio_auth_token (secret)" in done.output
    assert "sms_stop_countries=none" in done.output
    assert "whatsapp.confirmation=south_booked" in done.output
    assert not [
        secret for secret in ("twilio-secret", "south-secret", "meta-secret", "smtp-secret") if secret in done.output
    ]


def test_a_wrong_file_ends_the_check_with_78(tmp_path: Path) -> None:
    path = tmp_path / "senders.toml"
    path.write_text("[installation]\nsmtp_port = 0\n")

    assert CliRunner().invoke(app, ["check", str(path)]).exit_code == 78


class Seen:
    """A carrier's API that keeps the requests."""

    def __init__(self) -> None:
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        return httpx2.Response(200, json={"sid": "SM1", "messages": [{"id": "wamid.1"}]})


@pytest.mark.parametrize(
    ("clinic", "sid", "sender"),
    [
        ("EAST", SID, {"From": ["+15005550006"]}),
        ("NORTH", SID, {"From": ["North Clin"]}),
        ("SOUTH", OTHER_SID, {"MessagingServiceSid": [SERVICE]}),
    ],
)
async def test_an_sms_goes_through_its_clinics_account(
    senders: Senders, clinic: str, sid: str, sender: dict[str, list[str]]
) -> None:
    seen = Seen()
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(seen), base_url="http://carrier") as client:
        carrier = SmsCarrier(client, senders.sms, Templates())
        for _ in range(2):
            await carrier.prepare(call(Kind.REMINDER, Route(Channel.SMS, MOBILE), clinic_id=clinic))()

    first, again = seen.requests
    form = parse_qs(first.content.decode())
    assert first.content == again.content
    assert first.url.path == f"/2010-04-01/Accounts/{sid}/Messages.json"
    assert first.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert first.headers["Content-Length"] == str(len(first.content))
    assert {name: form[name] for name in form if name in {"From", "MessagingServiceSid"}} == sender
    assert first.extensions["timeout"] == client.timeout.as_dict()


async def test_nobody_is_asked_to_answer_a_name(senders: Senders) -> None:
    seen = Seen()
    american = Route(Channel.SMS, "+12125550123")
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(seen), base_url="http://carrier") as client:
        carrier = SmsCarrier(client, senders.sms, Templates())
        for clinic in ("EAST", "NORTH"):
            await carrier.prepare(call(Kind.REMINDER, american, clinic_id=clinic, mobile=american.address))()

    bodies = [parse_qs(request.content.decode())["Body"][0] for request in seen.requests]
    assert ["STOP" in body for body in bodies] == [True, False]


@pytest.mark.parametrize(
    ("clinic", "sensitive", "language", "expected"),
    [
        ("EAST", False, "de-AT", ("appointment_confirmation", "de", 4)),
        ("SOUTH", False, "de", ("south_booked", "nl", 3)),
        ("SOUTH", True, "nl", ("south_plain", "nl", 3)),
    ],
)
async def test_a_whatsapp_is_the_template_that_its_clinic_mapped(
    senders: Senders, clinic: str, sensitive: bool, language: str, expected: tuple[str, str, int]
) -> None:
    seen = Seen()
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(seen), base_url="http://carrier") as client:
        one = call(
            Kind.CONFIRMATION, Route(Channel.WHATSAPP, MOBILE),
            clinic_id=clinic, clinic_sensitive=sensitive, language=language,
        )  # fmt: skip
        await WhatsAppCarrier(client, senders.whatsapp).prepare(one)()

    [request] = seen.requests
    template = orjson.loads(request.content)["template"]
    [body] = template["components"]
    assert (template["name"], template["language"]["code"], len(body["parameters"])) == expected
    assert request.url.path == f"/v21.0/{'200' if clinic == 'SOUTH' else '100'}/messages"
    assert request.headers["Content-Type"] == "application/json"
