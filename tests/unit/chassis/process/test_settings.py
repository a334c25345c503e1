"""Settings come from the environment: a service's own under its prefix, the installation's without."""

from pathlib import Path
from typing import Self

import pytest
from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from chassis.process.errors import Misconfigured
from chassis.process.settings import ServiceSettings, load
from schemas.topics import APPOINTMENTS


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="SHOP_")

    http_port: int = 8199
    operations_port: int = 8198


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "SHOP_KAFKA_BOOTSTRAP_SERVERS", "ATTEND_TOPIC_PREFIX", "SHOP_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SHOP_DATABASE_URL", "postgresql://attend_shop:s3cret@127.0.0.1/attend")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")


def test_installation_settings_need_no_service_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTEND_TOPIC_PREFIX", "blue.")

    settings = load(Settings)

    assert settings.kafka_bootstrap_servers == "127.0.0.1:9092"
    assert settings.topic_name(APPOINTMENTS) == "blue.appointments"
    assert settings.group("shop") == "blue.shop"


def test_a_service_may_have_its_own_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:19092")

    assert load(Settings).kafka_bootstrap_servers == "127.0.0.1:19092"


def test_an_empty_variable_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTEND_CLOCK_FILE", "")

    assert load(Settings).clock_file is None


def test_what_is_missing_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOP_DATABASE_URL")

    with pytest.raises(Misconfigured, match="SHOP_DATABASE_URL"):
        load(Settings)


def test_what_is_wrong_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_HTTP_PORT", "canary-value")

    with pytest.raises(Misconfigured, match="SHOP_HTTP_PORT") as caught:
        load(Settings)

    assert "canary-value" not in str(caught.value)


def test_the_database_password_is_not_shown() -> None:
    assert "s3cret" not in repr(load(Settings))


@pytest.mark.parametrize("given", ["", "abc", "A" * 64, "the key itself", "0" * 63, "0" * 65, "0" * 64 + "\n"])
def test_an_operators_key_that_could_never_be_known_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("SHOP_OPERATOR_KEY_SHA256", given)
    with pytest.raises(Misconfigured, match="OPERATOR_KEY_SHA256") as refused:
        load(Settings)
    assert not given or given not in refused.value.message


@pytest.mark.parametrize("variable", ["SHOP_OPERATOR_KEY_SHA256_FILE", "ATTEND_OPERATOR_KEY_SHA256_FILE"])
def test_a_secret_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str) -> None:
    (tmp_path / "hash").write_text("a" * 64 + "\n")
    (tmp_path / "url").write_text("postgresql://file@x/y\n")
    monkeypatch.delenv("SHOP_DATABASE_URL")
    monkeypatch.setenv("SHOP_DATABASE_URL_FILE", str(tmp_path / "url"))
    monkeypatch.setenv(variable, str(tmp_path / "hash"))

    settings = load(Settings)

    assert settings.database_url.get_secret_value() == "postgresql://file@x/y"
    assert settings.operator_key_sha256 is not None
    assert settings.operator_key_sha256.get_secret_value() == "a" * 64


def test_a_secret_that_is_given_twice_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SHOP_DATABASE_URL_FILE", str(tmp_path / "url"))

    with pytest.raises(Misconfigured, match="SHOP_DATABASE_URL and SHOP_DATABASE_URL_FILE are both given") as caught:
        load(Settings)

    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "why"), [(None, "No such file or directory"), (b"\xff\xfe canary", "it is no text")]
)
def test_a_file_that_cannot_be_read_is_named_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, why: str
) -> None:
    path = tmp_path / "url"
    if content:
        path.write_bytes(content)
    monkeypatch.delenv("SHOP_DATABASE_URL")
    monkeypatch.setenv("SHOP_DATABASE_URL_FILE", str(path))

    with pytest.raises(Misconfigured, match=rf"SHOP_DATABASE_URL_FILE: {path} cannot be read.*{why}") as caught:
        load(Settings)

    assert "canary" not in str(caught.value)


def test_an_image_says_where_its_service_listens_and_the_services_own_variable_wins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ATTEND_HTTP_HOST", "0.0.0.0")  # noqa: S104  # as the image does
    monkeypatch.setenv("ATTEND_HTTP_PORT", "8080")
    monkeypatch.setenv("ATTEND_OPERATIONS_PORT", "8081")
    monkeypatch.setenv("SHOP_OPERATIONS_PORT", "9001")

    settings = load(Settings)

    assert (settings.http_host, settings.http_port, settings.operations_port) == ("0.0.0.0", 8080, 9001)  # noqa: S104


@pytest.mark.parametrize(
    ("given", "value", "named"),
    [
        ("KAFKA_BOOTSTRAP_SERVERS", None, "settings: KAFKA_BOOTSTRAP_SERVERS: "),
        ("ATTEND_LOG_LEVEL", "loud", "settings: ATTEND_LOG_LEVEL: "),
        ("SHOP_LOG_LEVEL", "loud", "settings: SHOP_LOG_LEVEL: "),
        ("ATTEND_HTTP_PORT", "many", "settings: ATTEND_HTTP_PORT: "),
        ("SHOP_BOUND", "not json", "settings: SHOP_BOUND: not JSON"),
        ("SHOP_BOUND", '{"a": 1}', "settings: SHOP_BOUND.a: "),
        ("SHOP_BOUND", "{}", "settings: SHOP_…: "),
    ],
)
def test_what_is_wrong_is_named_by_the_variable_that_was_given(
    monkeypatch: pytest.MonkeyPatch, given: str, value: str | None, named: str
) -> None:
    class Bound(Settings):
        bound: dict[str, str] = Field(default_factory=lambda: {"a": "b"})

        @model_validator(mode="after")
        def _some(self) -> Self:
            if not self.bound:
                raise ValueError("nothing is bound")
            return self

    monkeypatch.delenv(given, raising=False) if value is None else monkeypatch.setenv(given, value)

    with pytest.raises(Misconfigured) as caught:
        load(Bound)

    assert caught.value.message.startswith(named)
    assert not value or value not in ("loud", "many", "not json") or value not in caught.value.message
