"""What a start refuses, all of it at once: settings by which a secret or a message would go where it must not."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from chassis.process.errors import Misconfigured
from notifier.carriers.cli import app
from notifier.carriers.senders import read_senders
from notifier.settings import Settings

SID = f"AC{'1' * 32}"


def settings(**changes: Any) -> Settings:
    return Settings.model_validate({"database_url": "", "kafka_bootstrap_servers": "", **changes})


def refused(**changes: Any) -> str:
    with pytest.raises(Misconfigured) as caught:
        read_senders(settings(**changes))
    return caught.value.message


LOGIN = {"smtp_username": "attend", "smtp_password": SecretStr("hush")}


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"smtp_host": "mail.example", "smtp_tls": "none", **LOGIN}, "the installation: smtp_tls is none"),
        ({"smtp_host": "10.0.0.7", "smtp_tls": "none", **LOGIN}, "the installation: smtp_tls is none"),
        ({"smtp_host": "localhost.evil.example", "smtp_tls": "none", **LOGIN}, "the installation: smtp_tls is none"),
        ({"smtp_username": "attend"}, "belong together"),
        ({"smtp_password": SecretStr("hush")}, "belong together"),
        ({"smtp_username": "at\ntend", "smtp_password": SecretStr("hush")}, "NOTIFIER_SMTP_USERNAME: a control"),
        ({"smtp_username": "attend", "smtp_password": SecretStr("hu\nsh")}, "NOTIFIER_SMTP_PASSWORD: a control"),
        ({"smtp_host": "mail.example:25"}, "NOTIFIER_SMTP_HOST: a host"),
        ({"smtp_host": "mail example"}, "NOTIFIER_SMTP_HOST: a host"),
        ({"smtp_host": "mail..example"}, "NOTIFIER_SMTP_HOST: a host"),
        ({"smtp_host": ""}, "NOTIFIER_SMTP_HOST: a host"),
        ({"smtp_port": 0}, "NOTIFIER_SMTP_PORT"),
        ({"smtp_port": 65_536}, "NOTIFIER_SMTP_PORT"),
        ({"mail_from": "a@clinic.example\nBcc: b@c.example"}, "NOTIFIER_MAIL_FROM"),
        ({"mail_from": "a@clinic.example\n"}, "NOTIFIER_MAIL_FROM"),
        ({"mail_from": "Clinic <a@clinic.example>"}, "NOTIFIER_MAIL_FROM"),
        ({"mail_from": "a@b@clinic.example"}, "NOTIFIER_MAIL_FROM"),
        ({"mail_from": ""}, "NOTIFIER_MAIL_FROM"),
        ({"twilio_from": "07700 900123"}, "NOTIFIER_TWILIO_FROM"),
        ({"twilio_from": "+15005550006\n"}, "NOTIFIER_TWILIO_FROM"),
        ({"twilio_account_sid": f"{SID}/../x"}, "NOTIFIER_TWILIO_ACCOUNT_SID"),
        ({"twilio_account_sid": f"{SID}\n"}, "NOTIFIER_TWILIO_ACCOUNT_SID"),
        ({"twilio_auth_token": SecretStr("a\r\nb")}, "NOTIFIER_TWILIO_AUTH_TOKEN: a control"),
        ({"meta_version": "v21.0/me"}, "NOTIFIER_META_VERSION"),
        ({"meta_business_account_id": "1/x"}, "NOTIFIER_META_BUSINESS_ACCOUNT_ID"),
        ({"meta_phone_number_id": "1/messages?x="}, "NOTIFIER_META_PHONE_NUMBER_ID"),
        ({"meta_access_token": SecretStr("a\nX: y")}, "NOTIFIER_META_ACCESS_TOKEN: a control"),
        ({"meta_app_secret": SecretStr("a\x00")}, "NOTIFIER_META_APP_SECRET: a control"),
        ({"twilio_base_url": "http://api.twilio.com"}, "NOTIFIER_TWILIO_BASE_URL: https"),
        ({"meta_base_url": "http://graph.facebook.com"}, "NOTIFIER_META_BASE_URL: https"),
        ({"meta_base_url": "http://127.0.0.1.evil.example"}, "NOTIFIER_META_BASE_URL: https"),
        ({"twilio_base_url": "https://a:hush@api.twilio.com"}, "NOTIFIER_TWILIO_BASE_URL: no login"),
        ({"twilio_base_url": "https://hush@api.twilio.com"}, "NOTIFIER_TWILIO_BASE_URL: no login"),
        ({"twilio_base_url": "https://api.twilio.com/?x=1"}, "NOTIFIER_TWILIO_BASE_URL: no login"),
        ({"twilio_base_url": "https://api.twilio.com:0"}, "NOTIFIER_TWILIO_BASE_URL: an address"),
        ({"twilio_base_url": "https://api.twilio.com:99999"}, "NOTIFIER_TWILIO_BASE_URL: an address"),
        ({"twilio_base_url": "api.twilio.com"}, "NOTIFIER_TWILIO_BASE_URL: an address"),
        ({"twilio_base_url": "file:///etc/passwd"}, "NOTIFIER_TWILIO_BASE_URL: an address"),
        ({"twilio_base_url": "https://api.twilio.com\n"}, "NOTIFIER_TWILIO_BASE_URL: an address"),
        ({"callback_base_url": "http://clinic.example"}, "NOTIFIER_CALLBACK_BASE_URL: https"),
        ({"booking_url": "booking:8101"}, "NOTIFIER_BOOKING_URL: an address"),
        ({"allow_list": "+447700900123, 0800 hush"}, "NOTIFIER_ALLOW_LIST"),
    ],
)
@pytest.mark.parametrize("mode", ["live", "allow-list", "hold"])
def test_what_would_expose_a_secret_or_cannot_be_ends_the_start_in_every_mode(
    changes: dict[str, Any], place: str, mode: str
) -> None:
    """Somebody may switch the mode while it runs."""
    said = refused(sending_mode=mode, **changes)

    assert place in said
    assert "hush" not in said


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"smtp_host": "127.0.0.1", "smtp_tls": "none", **LOGIN},
        {"smtp_host": "localhost", "smtp_tls": "none", **LOGIN},
        {"smtp_host": "::1", "smtp_tls": "none", **LOGIN},
        {"smtp_host": "mail.example", "smtp_tls": "starttls", **LOGIN},
        {"smtp_host": "mail.example", "smtp_tls": "tls", **LOGIN},
        {"smtp_host": "relay", "smtp_tls": "none"},
        {"smtp_host": "sinks", "smtp_tls": "none", "plain_hosts": "sinks", **LOGIN},
        {"twilio_base_url": "http://127.0.0.1:8126", "meta_base_url": "http://[::1]:8126/"},
        {"twilio_base_url": "http://Sinks:8080", "plain_hosts": "sinks, other"},
        {"callback_base_url": "https://clinic.example/attend"},
        {"booking_url": "http://booking:8080"},
        {"twilio_from": "Clinic 1"},
    ],
)
def test_this_machine_and_hosts_named_on_purpose_are_spoken_to_without_encryption(changes: dict[str, Any]) -> None:
    read_senders(settings(sending_mode="live", **changes))


def test_every_fault_is_named_at_once_those_of_the_file_too(tmp_path: Path) -> None:
    path = tmp_path / "senders.toml"
    path.write_text("[clinics.NORTH]\nmail_from = 'nobody'\n[clinics.SOUTH]\nsms_sender = '?'\nsms_sendr = 'x'\n")

    said = refused(senders=path, smtp_port=0, mail_from="nobody", twilio_base_url="http://carrier.example")

    for place in (
        "NOTIFIER_SMTP_PORT",
        "NOTIFIER_MAIL_FROM",
        "NOTIFIER_TWILIO_BASE_URL",
        "[clinics.NORTH] mail_from",
        "[clinics.SOUTH] sms_sender",
        "[clinics.SOUTH] sms_sendr",
    ):
        assert place in said


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (
            "[clinics.NORTH]\nsmtp_host = 'a.example'\nsmtp_tls = 'none'\nsmtp_username = 'u'\nsmtp_password = 'hush'",
            "[clinics.NORTH]: smtp_tls is none",
        ),
        (
            "[installation]\nsmtp_host = 'a.example'\nsmtp_tls = 'tls'\nsmtp_username = 'u'\nsmtp_password = 'hush'\n"
            "[clinics.NORTH]\nsmtp_tls = 'none'",
            "[clinics.NORTH]: smtp_tls is none",
        ),
        ("[clinics.NORTH]\nsmtp_host = 'a.example:25'", "[clinics.NORTH] smtp_host"),
        ('[clinics.NORTH]\nmeta_access_token = "hush\\n"', "[clinics.NORTH] meta_access_token"),
        ('[clinics.NORTH]\nmeta_app_secret = "hu\\u0000sh"', "[clinics.NORTH] meta_app_secret"),
        ('[clinics.NORTH]\nmail_from = "a@b.example\\n"', "[clinics.NORTH] mail_from"),
    ],
)
def test_the_command_says_beforehand_what_a_start_would_refuse(tmp_path: Path, content: str, place: str) -> None:
    path = tmp_path / "senders.toml"
    path.write_text(content)

    done = CliRunner().invoke(app, ["check", str(path)])

    said = done.output.replace("\n", " ")
    assert done.exit_code == 78
    assert place.split("]")[-1].strip(": ") in said
    assert "hush" not in said


def test_the_command_asks_meta_for_approvals_where_a_business_account_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "senders.toml"
    path.write_text("[clinics.NORTH]\nmeta_phone_number_id = '1'\nmeta_business_account_id = '456'\n")
    monkeypatch.setenv("NOTIFIER_META_BASE_URL", "http://127.0.0.1:9")  # where nobody listens

    done = CliRunner().invoke(app, ["check", str(path)])

    assert done.exit_code == 0
    assert "WhatsApp 456: Meta did not say which templates are approved: ConnectError" in done.output
