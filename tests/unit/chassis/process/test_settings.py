"""Settings come from the environment: a service's own under its prefix, the installation's without."""

import pytest
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
