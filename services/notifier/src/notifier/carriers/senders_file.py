"""The file of senders, read and checked: every error with its file, section and key, no value of it ever shown."""

import ipaddress
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from chassis.process.errors import Misconfigured
from notifier.carriers.meta.carrier import NEUTRAL, PARAMETERS, Parameter
from notifier.values.kinds import PATIENT_KINDS
from notifier.wording.renderer import known_language
from schemas.notifications import Kind

_CLINIC = re.compile(r"[A-Z0-9]{2,10}")
_ADDRESS = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$"
_SENDER = re.compile(r"\+[1-9]\d{6,14}|\d{3,8}|MG[0-9a-fA-F]{32}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
LONGEST_HOST = 253
_TEMPLATE = r"^[a-z0-9_]{1,512}$"  # Meta: lower case letters, digits and underscores
SECRETS = ("smtp_password", "twilio_auth_token", "meta_access_token", "meta_app_secret")
_META_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2,3})?")


_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")


def is_clean(value: str) -> bool:
    """Say whether a value holds no control character, line break or invisible sign."""
    return value.isprintable()


def is_host(value: str) -> bool:
    """Say whether it is a host's name or its IP address."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return len(value) <= LONGEST_HOST and _NAME.fullmatch(value) is not None
    return True


def _host(value: str) -> str:
    if not is_host(value):
        raise ValueError("a host's name or IP address, without a port")
    return value


def _clean(value: str) -> str:
    if not is_clean(value):
        raise ValueError("a control character in it")
    return value


def _clean_secret(value: SecretStr) -> SecretStr:
    _clean(value.get_secret_value())
    return value


type Secret = Annotated[SecretStr, AfterValidator(_clean_secret)]


def _sms_sender(value: str) -> str:
    if not _SENDER.fullmatch(value):
        raise ValueError(
            "a number such as +15005550006, a short code, up to 11 letters and digits, or a MessagingServiceSid"
        )
    return value


def _languages(value: dict[str, str]) -> dict[str, str]:
    if not value:
        raise ValueError("at least one language")
    for ours, theirs in value.items():
        if not known_language(ours) or not _META_LANGUAGE.fullmatch(theirs):
            raise ValueError('as in {en = "en_GB", de = "de"}: our language, then the code it was approved under')
    return value


def _countries(value: frozenset[str]) -> frozenset[str]:
    if not all(re.fullmatch("[A-Z]{2}", country) for country in value):
        raise ValueError('countries in two capital letters, as in ["US", "CA"]')
    return value


class Mapped(BaseModel):
    """How a kind is called at WhatsApp.

    Attributes:
        neutral: The template for sensitive clinics; by default the name with `_neutral`.
        languages: Our language → the code that it was approved under.
        parameters: The words it is given, in order; the neutral one gets them without the clinic.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=_TEMPLATE)
    neutral: str = Field(default="", pattern=r"^[a-z0-9_]{0,512}$")
    languages: Annotated[dict[str, str], AfterValidator(_languages)]
    parameters: tuple[Parameter, ...] = PARAMETERS

    @property
    def neutral_name(self) -> str:
        """The name of the template for sensitive clinics."""
        return self.neutral or self.name + NEUTRAL


class Section(BaseModel):
    """What the installation, or one clinic, says of its accounts; all of it may be left out.

    A name that ends in `_file` gives the secret as the content of a file, its path as seen from this one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    mail_from: str | None = Field(default=None, pattern=_ADDRESS)
    mail_reply_to: str | None = Field(default=None, pattern=_ADDRESS)
    visit_minutes: int | None = Field(default=None, ge=1, le=1440)
    smtp_host: Annotated[str, AfterValidator(_host)] | None = None
    smtp_port: int | None = Field(default=None, ge=1, le=65535)
    smtp_tls: Literal["none", "starttls", "tls"] | None = None
    smtp_username: Annotated[str, AfterValidator(_clean)] | None = Field(default=None, min_length=1)
    smtp_password: Secret | None = Field(default=None, min_length=1)
    sms_sender: Annotated[str, AfterValidator(_sms_sender)] | None = None
    sms_stop_countries: Annotated[frozenset[str], AfterValidator(_countries)] | None = None
    twilio_account_sid: str | None = Field(default=None, pattern=r"^AC[0-9a-fA-F]{32}$")
    twilio_auth_token: Secret | None = Field(default=None, min_length=1)
    meta_phone_number_id: str | None = Field(default=None, pattern=r"^\d{1,20}$")
    meta_version: str | None = Field(default=None, pattern=r"^v\d{1,3}\.\d$")
    meta_business_account_id: str | None = Field(default=None, pattern=r"^\d{1,20}$")
    meta_access_token: Secret | None = Field(default=None, min_length=1)
    meta_app_secret: Secret | None = Field(default=None, min_length=1)
    whatsapp: dict[Kind, Mapped] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.twilio_account_sid is None) != (self.twilio_auth_token is None):
            raise ValueError("twilio_account_sid and twilio_auth_token belong together")
        if self.twilio_account_sid and not self.sms_sender:
            raise ValueError("twilio_account_sid without an sms_sender of that account")
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("smtp_username and smtp_password belong together")
        if self.smtp_username and not self.smtp_host:
            raise ValueError("smtp_username without its smtp_host")
        if foreign := [kind.value for kind in self.whatsapp if kind not in PATIENT_KINDS]:
            raise ValueError(f"whatsapp.{foreign[0]}: patients get no message of this kind")
        return self


@dataclass(frozen=True)
class SendersFile:
    """What the file says."""

    installation: Section = field(default_factory=Section)
    clinics: Mapping[str, Section] = field(default_factory=dict)


EMPTY = SendersFile()


def read(path: Path) -> SendersFile:
    """Return what the file says."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Misconfigured(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path}: no TOML: {error}") from None
    wrong = [f"{name}: no such section" for name in content if name not in {"installation", "clinics"}]
    installation = _section("installation", content.get("installation", {}), path.parent, wrong)
    clinics = content.get("clinics", {})
    if not isinstance(clinics, dict):
        wrong.append("clinics: sections such as [clinics.NORTH]")
        clinics = {}
    wrong += [f"[clinics.{code}]: no clinic's code" for code in clinics if not _CLINIC.fullmatch(code)]
    sections = {code: _section(f"clinics.{code}", of, path.parent, wrong) for code, of in clinics.items()}
    if wrong:
        raise Misconfigured("; ".join(f"{path} {each}" for each in wrong))
    return SendersFile(installation, sections)


def _section(name: str, content: object, folder: Path, wrong: list[str]) -> Section:
    """Return the section, or an empty one and what is wrong with it."""
    if not isinstance(content, dict):
        wrong.append(f"[{name}]: a section of keys and values")
        return Section()
    try:
        return Section.model_validate(_with_secrets(name, content, folder, wrong))
    except ValidationError as error:
        for each in error.errors(include_input=False, include_url=False, include_context=False):
            place = ".".join(str(part) for part in each["loc"])
            wrong.append(f"[{name}]{' ' if place else ''}{place}: {each['msg'].removeprefix('Value error, ')}")
        return Section()


def _with_secrets(name: str, content: Mapping[str, Any], folder: Path, wrong: list[str]) -> dict[str, Any]:
    """Return the content with the secrets that lie in files."""
    whole = dict(content)
    for key in SECRETS:
        where = whole.pop(f"{key}_file", None)
        if where is None:
            continue
        if key in whole:
            wrong.append(f"[{name}] {key}_file: {key} is given too")
            continue
        try:
            whole[key] = (folder / str(where)).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            wrong.append(f"[{name}] {key}_file: {getattr(error, 'strerror', None) or 'no text'}")
            whole[key] = "unreadable"  # so that its key is not called missing too
    return whole
