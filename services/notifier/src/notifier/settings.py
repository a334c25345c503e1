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
    """Everything the notifier can be told.

    Attributes:
        sending_mode: What may leave; a new installation starts with the allow-list.
        allow_list: Mobiles and email addresses that may be messaged in mode `allow-list`.
        carrier_timeout_s: Longest call to a carrier.
        lease_s: How long a message may be in `sending`; after that its outcome is unknown.
        email_per_second, sms_per_second, whatsapp_per_second: Calls a second of all instances together; 0: no limit.
        breaker_failures, breaker_open_s: After so many failures of a carrier in a row its lane rests so long.
        visit_minutes: How long a visit is taken to last that has no end, in its calendar entry; a clinic's own is in
            the file of senders.
        appointment_link: Address at which a provider opens an appointment, with `{appointment_id}` in it; none: notices
            carry no link (R20).
        templates: Folder with the installation's own templates.
        plain_hosts: Hosts that are spoken to without encryption on purpose, such as a sink beside this process; this
            machine always may be.
        senders: File with the accounts of the installation and of single clinics (TOML; `carriers/senders_file.py`).
        callback_base_url: Public address for carriers' receipts.
        bounce_secret: What a mail server sends along when it posts a bounce.
        address_pepper: Makes the keys under which addresses are kept; several with commas, newest first.
        unsubscribe_secret: Signs the one-click links in emails; empty: mails carry none.
        bounce_maildir: Maildir with bounces, read by the process that runs fan-out.
        meta_version: Of the Graph API.
        meta_business_account_id: WhatsApp Business Account whose templates `senders check` looks at.
        meta_app_secret, meta_verify_token: By which Meta's callbacks prove themselves.
        booking_url, records_url, reminders_url: Where the other parts' read APIs answer, for the timeline.
        read_key: The operator's key, with which they are asked.
        part_timeout_s: How long each of them may take.
        keep_inbox_days: How long a provider's notice is kept after its visit.
        keep_reply_text_days: How long a patient's words and number are kept; what they meant stays.
        keep_unreadable_callbacks_days: How long what a carrier sent and nobody could read is kept.
        keep_unmatched_receipts_days: How long a carrier's report about a message nobody knows is kept.
    """

    model_config = SettingsConfigDict(env_prefix="NOTIFIER_")

    http_port: int = 8103
    operations_port: int = 8113
    sending_mode: SendingModeName = SendingModeName.ALLOW_LIST
    allow_list: Annotated[tuple[str, ...], NoDecode] = ()
    carrier_timeout_s: float = Field(default=10.0, gt=0, le=60)
    lease_s: float = Field(default=20.0, gt=0, le=300)
    email_slots: int = Field(default=8, ge=1, le=500)
    sms_slots: int = Field(default=16, ge=1, le=500)
    whatsapp_slots: int = Field(default=16, ge=1, le=500)
    email_per_second: float = Field(default=0.0, ge=0, le=100_000)
    sms_per_second: float = Field(default=0.0, ge=0, le=100_000)
    whatsapp_per_second: float = Field(default=0.0, ge=0, le=100_000)
    breaker_failures: int = Field(default=10, ge=1)
    breaker_open_s: float = Field(default=15.0, gt=0)
    visit_minutes: int = Field(default=30, ge=1, le=1440)
    appointment_link: str | None = None
    templates: Path | None = None
    plain_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    senders: Path | None = None
    callback_base_url: str | None = None
    bounce_secret: SecretStr = SecretStr("")
    bounce_maildir: Path | None = None
    address_pepper: SecretStr = SecretStr("")
    unsubscribe_secret: SecretStr = SecretStr("")
    booking_url: str | None = None
    records_url: str | None = None
    reminders_url: str | None = None
    read_key: SecretStr | None = None
    part_timeout_s: float = Field(default=3.0, gt=0, le=30)
    keep_inbox_days: int = Field(default=180, ge=1)
    keep_reply_text_days: int = Field(default=90, ge=1)
    keep_unreadable_callbacks_days: int = Field(default=30, ge=1)
    keep_unmatched_receipts_days: int = Field(default=30, ge=1)

    smtp_host: str = "127.0.0.1"
    smtp_port: int = 25
    smtp_tls: Literal["none", "starttls", "tls"] = "none"
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    mail_from: str = "appointments@attend.example"
    twilio_base_url: str = "https://api.twilio.com"
    twilio_account_sid: str = "AC00000000000000000000000000000000"
    twilio_auth_token: SecretStr = SecretStr("")
    twilio_from: str = "+15005550006"
    meta_base_url: str = "https://graph.facebook.com"
    meta_version: str = "v21.0"
    meta_phone_number_id: str = "0"
    meta_business_account_id: str | None = None
    meta_access_token: SecretStr = SecretStr("")
    meta_app_secret: SecretStr = SecretStr("")
    meta_verify_token: SecretStr = SecretStr("")

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
