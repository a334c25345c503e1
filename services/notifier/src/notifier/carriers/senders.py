"""Whose accounts a clinic's messages go through: the installation's, or its own.

The settings of the environment are the installation's. A TOML file (setting `NOTIFIER_SENDERS`) goes before them,
in a section for the installation and one for each clinic that has accounts of its own; what a clinic's section does
not say is the installation's. `lanes.md` has an example. All of it is read and checked once, at the start.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from pydantic import SecretStr

from chassis.process.errors import Misconfigured
from notifier.address_keys.peppers import peppers_of
from notifier.carriers import senders_check
from notifier.carriers.accounts import Accounts as ByClinic
from notifier.carriers.meta.carrier import MetaAccount, WhatsAppTemplate
from notifier.carriers.senders_file import EMPTY, Section, read
from notifier.carriers.smtp.carrier import MailAccount, SmtpServer
from notifier.carriers.smtp.mail import Sender
from notifier.carriers.twilio.carrier import TwilioAccount
from notifier.opt_outs.domain.one_click import Unsubscribing
from notifier.settings import Settings, several
from schemas.notifications import Channel

SMTP_SHARE = 0.45
"""Of a carrier's time: the steps before the data may take it, and the data again."""


@dataclass(frozen=True)
class Accounts:
    """Those that send for one clinic."""

    mail: MailAccount
    sms: TwilioAccount
    whatsapp: MetaAccount


@dataclass(frozen=True)
class Senders:
    """The accounts of the installation and of the clinics that have their own."""

    installation: Accounts
    clinics: Mapping[str, Accounts]

    def of(self, clinic_id: str) -> Accounts:
        """Return the accounts that send for a clinic."""
        return self.clinics.get(clinic_id, self.installation)

    def mail(self, clinic_id: str) -> MailAccount:
        """Return the account for its mails."""
        return self.of(clinic_id).mail

    def sms(self, clinic_id: str) -> TwilioAccount:
        """Return the account for its SMS."""
        return self.of(clinic_id).sms

    def whatsapp(self, clinic_id: str) -> MetaAccount:
        """Return the account for its WhatsApp messages."""
        return self.of(clinic_id).whatsapp

    @property
    def accounts(self) -> Mapping[Channel, ByClinic]:
        """By channel, which account sends for which clinic."""
        return {
            Channel.EMAIL: self._by_clinic(lambda each: each.mail.server.account),
            Channel.SMS: self._by_clinic(lambda each: each.sms.sid),
            Channel.WHATSAPP: self._by_clinic(lambda each: each.whatsapp.phone_number_id),
        }

    def _by_clinic(self, account_of: Callable[[Accounts], str]) -> ByClinic:
        clinics = [(code, account_of(accounts)) for code, accounts in self.clinics.items()]
        return ByClinic.made_of(account_of(self.installation), clinics)

    def twilio_tokens(self) -> Mapping[str, Sequence[str]]:
        """Return AccountSid → its tokens: with one of them its callbacks are signed."""
        return _grouped((each.sms.sid, (each.sms.auth_token,)) for each in self._every)

    def meta_secrets(self) -> Mapping[str, Sequence[str]]:
        """Return phone number id → its app's secrets: with one of them its callbacks are signed."""
        return _grouped((each.whatsapp.phone_number_id, each.whatsapp.app_secrets) for each in self._every)

    def meta_accounts(self) -> Sequence[MetaAccount]:
        """Return the account of the installation, and those of the clinics."""
        return tuple(each.whatsapp for each in self._every)

    @property
    def _every(self) -> tuple[Accounts, ...]:
        return (self.installation, *self.clinics.values())


def _grouped(secrets: Iterable[tuple[str, Sequence[SecretStr]]]) -> Mapping[str, Sequence[str]]:
    """Return account → its secrets, each once, none empty."""
    found: dict[str, dict[str, None]] = {}
    for account, of in secrets:
        found.setdefault(account, {}).update(dict.fromkeys(one for each in of if (one := each.get_secret_value())))
    return {account: tuple(of) for account, of in found.items()}


def read_senders(settings: Settings) -> Senders:
    """Return the accounts of the settings and of the file that they name.

    Raises:
        Misconfigured: The file cannot be read, or something in it or in the settings cannot be or must not be; names
            all at once, each with its section and key, never a value.
    """
    wrong = list(senders_check.of_settings(settings))
    try:
        file = read(settings.senders) if settings.senders else EMPTY
    except Misconfigured as error:
        raise Misconfigured("; ".join([*wrong, error.message])) from None
    own = _accounts(file.installation, _of_settings(settings))
    clinics = {code: _accounts(section, own) for code, section in file.clinics.items()}
    wrong += senders_check.of_server("the installation", own.mail.server, settings.plain)
    for code, accounts in clinics.items():
        if accounts.mail.server != own.mail.server:
            wrong += senders_check.of_server(f"[clinics.{code}]", accounts.mail.server, settings.plain)
    if wrong:
        raise Misconfigured("; ".join(wrong))
    return Senders(own, clinics)


def _accounts(section: Section, below: Accounts) -> Accounts:
    """Return the accounts of a section, with those of the level below for what it leaves out."""
    return Accounts(_mail(section, below.mail), _sms(section, below.sms), _whatsapp(section, below.whatsapp))


def _mail(section: Section, below: MailAccount) -> MailAccount:
    server = below.server
    if section.smtp_host:  # another server: the login of the one below is not for its eyes
        server = replace(server, host=section.smtp_host, username=section.smtp_username, password=section.smtp_password)
    server = replace(server, port=section.smtp_port or server.port, tls=section.smtp_tls or server.tls)
    return MailAccount(
        server,
        replace(
            below.sender,
            address=section.mail_from or below.sender.address,
            reply_to=section.mail_reply_to or below.sender.reply_to,
            visit_lasts=timedelta(minutes=section.visit_minutes) if section.visit_minutes else below.sender.visit_lasts,
        ),
    )


def _sms(section: Section, below: TwilioAccount) -> TwilioAccount:
    stop = section.sms_stop_countries
    return TwilioAccount(
        section.twilio_account_sid or below.sid,
        section.twilio_auth_token or below.auth_token,
        section.sms_sender or below.sender,
        below.callback_base_url,
        below.stop_countries if stop is None else stop,
    )


def _whatsapp(section: Section, below: MetaAccount) -> MetaAccount:
    own = {
        kind: WhatsAppTemplate(mapped.name, mapped.neutral_name, mapped.languages, mapped.parameters)
        for kind, mapped in section.whatsapp.items()
    }
    return replace(
        below,
        phone_number_id=section.meta_phone_number_id or below.phone_number_id,
        version=section.meta_version or below.version,
        business_account_id=section.meta_business_account_id or below.business_account_id,
        access_token=section.meta_access_token or below.access_token,
        app_secrets=(section.meta_app_secret,) if section.meta_app_secret else below.app_secrets,
        templates={**below.templates, **own},
    )


def _of_settings(settings: Settings) -> Accounts:
    server = SmtpServer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_tls,
        settings.smtp_username,
        settings.smtp_password,
        settings.carrier_timeout_s * SMTP_SHARE,
    )
    lasts = timedelta(minutes=settings.visit_minutes)
    return Accounts(
        MailAccount(server, Sender(settings.mail_from, unsubscribing=_links(settings), visit_lasts=lasts)),
        TwilioAccount(
            settings.twilio_account_sid,
            settings.twilio_auth_token,
            settings.twilio_from,
            settings.callback_base_url,
        ),
        MetaAccount(
            settings.meta_phone_number_id,
            settings.meta_access_token,
            settings.meta_version,
            settings.meta_business_account_id or None,
            app_secrets=tuple(SecretStr(one) for one in several(settings.meta_app_secret)),
        ),
    )


def _links(settings: Settings) -> Unsubscribing | None:
    """Return what makes one-click links; nothing without a public address and a secret."""
    base_url, secrets = settings.callback_base_url, several(settings.unsubscribe_secret)
    return Unsubscribing(base_url, secrets[0], peppers_of(settings)) if base_url and secrets else None
