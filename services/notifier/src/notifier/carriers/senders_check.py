"""What a start refuses: settings by which messages, or what opens an account, would go where they must not.

All faults are named at once, each with its place and way out, none with a value.
"""

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError

from notifier.carriers.senders_file import Section, is_clean, is_host
from notifier.carriers.smtp.carrier import SmtpServer
from notifier.settings import Settings, several
from notifier.staff.sending_modes.domain import BadChoice, allow_list

PREFIX = "NOTIFIER_"
_SECTION = {
    "mail_from": "MAIL_FROM",
    "smtp_host": "SMTP_HOST",
    "smtp_port": "SMTP_PORT",
    "smtp_tls": "SMTP_TLS",
    "smtp_username": "SMTP_USERNAME",
    "smtp_password": "SMTP_PASSWORD",
    "sms_sender": "TWILIO_FROM",
    "twilio_account_sid": "TWILIO_ACCOUNT_SID",
    "twilio_auth_token": "TWILIO_AUTH_TOKEN",
    "meta_phone_number_id": "META_PHONE_NUMBER_ID",
    "meta_access_token": "META_ACCESS_TOKEN",
    "meta_version": "META_VERSION",
    "meta_business_account_id": "META_BUSINESS_ACCOUNT_ID",
}
"""Key of a section → the variable that says the same of the installation."""


def of_settings(settings: Settings) -> Iterator[str]:
    """Give what is wrong with the variables."""
    yield from _installation(settings)
    for name in ("twilio_base_url", "meta_base_url"):
        yield from _url(settings, name, is_secret=True)
    if settings.callback_base_url:
        yield from _url(settings, "callback_base_url", is_secret=True)
    for name in ("booking_url", "records_url", "reminders_url"):
        if getattr(settings, name):
            yield from _url(settings, name, is_secret=False)
    for name in ("meta_app_secret", "meta_verify_token", "bounce_secret", "unsubscribe_secret"):
        if not all(map(is_clean, several(getattr(settings, name)))):
            yield f"{PREFIX}{name.upper()}: a control character in it"
    try:
        allow_list(settings.allow_list)
    except BadChoice as error:
        yield f"{PREFIX}ALLOW_LIST: {error.message}"


def _installation(settings: Settings) -> Iterator[str]:
    token = settings.twilio_auth_token.get_secret_value()
    said = {
        "mail_from": settings.mail_from,
        "smtp_host": settings.smtp_host,
        "smtp_port": settings.smtp_port,
        "smtp_tls": settings.smtp_tls,
        "smtp_username": settings.smtp_username or None,
        "smtp_password": _given(settings.smtp_password),
        "sms_sender": settings.twilio_from,
        "twilio_account_sid": settings.twilio_account_sid,
        "twilio_auth_token": token or "none",
        "meta_phone_number_id": settings.meta_phone_number_id,
        "meta_access_token": _given(settings.meta_access_token),
        "meta_version": settings.meta_version,
        "meta_business_account_id": settings.meta_business_account_id or None,
    }
    try:
        Section.model_validate(said)
    except ValidationError as error:
        for each in error.errors(include_input=False, include_url=False, include_context=False):
            names = [PREFIX + _SECTION[str(part)] for part in each["loc"]] or [f"{PREFIX}SMTP_… and {PREFIX}TWILIO_…"]
            yield f"{', '.join(names)}: {each['msg'].removeprefix('Value error, ')}"


def _given(secret: SecretStr | None) -> str | None:
    return (secret.get_secret_value() or None) if secret else None


def of_server(place: str, server: SmtpServer, plain_hosts: frozenset[str]) -> Iterator[str]:
    """Give what is wrong with the way to a mail server: a password may not cross a network in the clear."""
    if server.password and server.tls == "none" and not may_be_plain(server.host, plain_hosts):
        yield f"{place}: smtp_tls is none, so its password would cross the network in the clear: starttls or tls"


def may_be_plain(host: str, plain_hosts: frozenset[str]) -> bool:
    """Say whether a host is this machine, or one of those that are spoken to in the clear on purpose."""
    if host.lower() in {"localhost", *plain_hosts}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _url(settings: Settings, name: str, *, is_secret: bool) -> Iterator[str]:
    place, value = PREFIX + name.upper(), str(getattr(settings, name))
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", 0, urlsplit("")
    bare = host.split("%")[0]
    if not is_clean(value) or " " in value or parts.scheme not in {"http", "https"} or not is_host(bare) or port == 0:
        yield f"{place}: an address such as https://host.example"
    elif parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        yield f"{place}: no login, question mark or hash in it"
    elif is_secret and parts.scheme == "http" and not may_be_plain(bare, settings.plain):
        yield f"{place}: https, or what opens the account would cross the network in the clear"
