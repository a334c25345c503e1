"""Settings of the notifier, from the environment (prefix `NOTIFIER_`)."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from chassis.process.settings import ServiceSettings
from notifier.gate.domain.facts import SendingModeName
from notifier.gate.domain.modes import SendingMode
from notifier.values.addresses import normal
from schemas.notifications import Channel

OLDEST_GATE_AND_MARGIN_S = 7.0
"""A call may start 5 s after its gate; 2 s are for writing its answer down."""


def several(secrets: SecretStr) -> tuple[str, ...]:
    """Return the secrets of a setting that takes more than one, with commas between: the old beside the new one."""
    return tuple(one for each in secrets.get_secret_value().split(",") if (one := each.strip()))


class Settings(ServiceSettings):
    """Everything the notifier can be told."""

    model_config = SettingsConfigDict(env_prefix="NOTIFIER_")

    http_port: int = 8103
    operations_port: int = 8113
    sending_mode: SendingModeName = SendingModeName.ALLOW_LIST
    """What may leave: nothing, only what goes to the allow-list, or everything. A new installation starts with the
    allow-list; a mode that somebody switched comes before this one."""
    allow_list: Annotated[tuple[str, ...], NoDecode] = ()
    """Mobiles and email addresses that may be messaged in mode `allow-list`."""
    carrier_timeout_s: float = Field(default=10.0, gt=0, le=60)
    """Longest call to a carrier."""
    lease_s: float = Field(default=20.0, gt=0, le=300)
    """How long a message may be in `sending`, at least 7 s longer than a call; after that its outcome is unknown."""
    email_slots: int = Field(default=8, ge=1, le=500)
    """Calls at once to each mail account, of each process."""
    sms_slots: int = Field(default=16, ge=1, le=500)
    """Calls at once to each SMS account, of each process."""
    whatsapp_slots: int = Field(default=16, ge=1, le=500)
    """Calls at once to each WhatsApp account, of each process."""
    email_per_second: float = Field(default=0.0, ge=0, le=100_000)
    """Mails of an account, all processes together; 0: no limit."""
    sms_per_second: float = Field(default=0.0, ge=0, le=100_000)
    """SMS of an account, all processes together; 0: no limit."""
    whatsapp_per_second: float = Field(default=0.0, ge=0, le=100_000)
    """WhatsApp messages of an account, all processes together; 0: no limit."""
    breaker_failures: int = Field(default=10, ge=1)
    """After so many failures in a row an account is left alone for a while."""
    breaker_open_s: float = Field(default=15.0, gt=0)
    """How long an account is left alone after too many failures in a row."""
    visit_minutes: int = Field(default=30, ge=1, le=1440)
    """How long a visit is taken to last that has no end, in its calendar entry; a clinic's own is in the file of
    senders."""
    appointment_link: str | None = None
    """Address at which a provider opens an appointment, with `{appointment_id}` in it, such as
    `https://ehr.example/visits/{appointment_id}`; none: notices carry no link (R20)."""
    templates: Path | None = None
    """Folder with the installation's own templates."""
    plain_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Hosts that are spoken to without encryption on purpose, such as a sink beside this process; this machine always
    may be. To any other an `http://` address, or a password without TLS, ends the start with 78."""
    senders: Path | None = None
    """File with the accounts of the installation and of single clinics (TOML)."""
    callback_base_url: str | None = None
    """Public address for carriers' receipts; only `/callbacks/` need be reachable there."""
    bounce_secret: SecretStr = SecretStr("")
    """What a mail server sends along when it posts a bounce; empty: nobody gets in."""
    bounce_maildir: Path | None = None
    """Maildir with bounces, read by the process that runs fan-out."""
    address_pepper: SecretStr = SecretStr("")
    """Makes the keys under which addresses are kept, and the codes of replies: 32 characters or more; several with
    commas, newest first. Without it the notifier does not start."""
    unsubscribe_secret: SecretStr = SecretStr("")
    """Signs the one-click links in emails; empty: mails carry none."""
    booking_url: str | None = None
    """Where booking's read API answers, for the timeline of a visit; it knows what an API client may see.
    Without it only the operator's key reads here."""
    records_url: str | None = None
    """Where records' read API answers, for the timeline of a visit."""
    reminders_url: str | None = None
    """Where reminders' read API answers, for the timeline of a visit."""
    read_key: SecretStr | None = None
    """The operator's key, with which the other parts are asked for the timeline."""
    part_timeout_s: float = Field(default=3.0, gt=0, le=30)
    """How long each of the other parts may take to answer for the timeline."""
    keep_inbox_days: int = Field(default=180, ge=1)
    """How long a provider's notice is kept after its visit."""
    keep_reply_text_days: int = Field(default=90, ge=1)
    """How long a patient's words and number are kept; what they meant stays."""
    keep_unreadable_callbacks_days: int = Field(default=30, ge=1)
    """How long what a carrier sent and nobody could read is kept."""
    keep_outcomes_days: int = Field(default=60, ge=1)
    """How long an outcome stays in the feed; what became of a message is in the ledger for ever."""
    keep_unmatched_receipts_days: int = Field(default=30, ge=1)
    """How long a carrier's report about a message nobody knows is kept."""

    smtp_host: str = "127.0.0.1"
    """Mail server that takes outgoing mail."""
    smtp_port: int = 25
    """Port of the mail server."""
    smtp_tls: Literal["none", "starttls", "tls"] = "none"
    """How the connection to the mail server is encrypted."""
    smtp_username: str | None = None
    """Login at the mail server; none: no login."""
    smtp_password: SecretStr | None = None
    """Password of the login at the mail server."""
    mail_from: str = "appointments@attend.example"
    """Sender of mails, where no file of senders names another."""
    twilio_base_url: str = "https://api.twilio.com"
    """Where Twilio's API answers, for SMS."""
    twilio_account_sid: str = "AC00000000000000000000000000000000"
    """Account at Twilio."""
    twilio_auth_token: SecretStr = SecretStr("")
    """Token of the account at Twilio; it also proves Twilio's callbacks."""
    twilio_from: str = "+15005550006"
    """Number or messaging service that SMS come from."""
    meta_base_url: str = "https://graph.facebook.com"
    """Where Meta's Graph API answers, for WhatsApp."""
    meta_version: str = "v21.0"
    """Version of the Graph API."""
    meta_phone_number_id: str = "0"
    """Id of the number that WhatsApp messages come from."""
    meta_business_account_id: str | None = None
    """WhatsApp Business Account whose templates `senders check` looks at."""
    meta_access_token: SecretStr = SecretStr("")
    """Token of the Graph API."""
    meta_app_secret: SecretStr = SecretStr("")
    """By which Meta's callbacks prove themselves; empty: nobody gets in."""
    meta_verify_token: SecretStr = SecretStr("")
    """By which Meta proves itself when it is told the callbacks' address; empty: nobody gets in."""

    @field_validator("allow_list", "plain_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(entry.strip() for entry in value.split(",") if entry.strip())
        return value

    @field_validator("appointment_link")
    @classmethod
    def _opens_an_appointment(cls, link: str | None) -> str | None:
        if not link:
            return None
        if not link.startswith(("https://", "http://")) or "{appointment_id}" not in link:
            raise ValueError("an address https://… with {appointment_id} in it")
        return link

    @model_validator(mode="after")
    def _lease_outlives_calls(self) -> Self:
        if self.lease_s < self.carrier_timeout_s + OLDEST_GATE_AND_MARGIN_S:
            raise ValueError("lease_s must be at least carrier_timeout_s + 7")
        return self

    @property
    def sending(self) -> SendingMode:
        """The mode with its list."""
        return SendingMode(self.sending_mode, frozenset(map(normal, self.allow_list)))

    @property
    def plain(self) -> frozenset[str]:
        """The plain hosts in lower case."""
        return frozenset(host.lower() for host in self.plain_hosts)

    def per_second(self, lane: Channel) -> float:
        """Return the rate of a lane, shared by its instances; 0 for none."""
        rates = {Channel.EMAIL: self.email_per_second, Channel.SMS: self.sms_per_second}
        return rates.get(lane, self.whatsapp_per_second)

    def slots(self, lane: Channel) -> int:
        """Return how many calls a lane makes at once."""
        return {Channel.EMAIL: self.email_slots, Channel.SMS: self.sms_slots, Channel.WHATSAPP: self.whatsapp_slots}[
            lane
        ]
