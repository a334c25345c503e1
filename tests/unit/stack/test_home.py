import json
import stat
from pathlib import Path

import pytest

from stack.folders import everyone_may_enter, write_secret
from stack.home import AlreadyRunning, Home


def test_secrets_are_made_once_and_nobody_else_may_read_them(tmp_path: Path) -> None:
    made = Home(tmp_path).secrets

    assert Home(tmp_path).secrets == made
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_the_operators_key_is_no_clients_and_a_folder_of_before_gets_one(tmp_path: Path) -> None:
    write_secret(tmp_path / "secrets.json", json.dumps({"key": "attend_old", "passwords": {"booking": "kept"}}))

    secrets = Home(tmp_path).secrets

    assert (secrets.key, secrets.passwords) == ("attend_old", {"booking": "kept"})
    assert secrets.operator_key not in {"", secrets.key}
    assert Home(tmp_path).secrets == secrets


def test_every_service_gets_a_password_of_its_own(tmp_path: Path) -> None:
    passwords = Home(tmp_path).secrets.passwords

    assert len(set(passwords.values())) == len(passwords) == 4


def test_an_installation_from_before_gets_the_secret_that_it_lacks_once(tmp_path: Path) -> None:
    write_secret(tmp_path / "secrets.json", '{"key": "k", "passwords": {"notifier": "p"}}')

    made = Home(tmp_path).secrets

    assert (made.key, made.passwords) == ("k", {"notifier": "p"})
    assert len(made.address_pepper) >= 32
    assert len(made.unsubscribe_secret) >= 32
    assert Home(tmp_path).secrets == made


def test_a_secret_of_a_later_version_is_left_where_it_is(tmp_path: Path) -> None:
    write_secret(tmp_path / "secrets.json", '{"key": "k", "of_a_later_one": "s"}')

    assert Home(tmp_path).secrets.key == "k"
    assert '"of_a_later_one": "s"' in (tmp_path / "secrets.json").read_text()


def test_a_folder_is_held_by_one_supervisor_at_a_time(tmp_path: Path) -> None:
    first, second = Home(tmp_path), Home(tmp_path)

    with first.held():
        assert second.is_held
        with pytest.raises(AlreadyRunning, match="another `attend up`"), second.held():
            pass
    assert not second.is_held


def test_a_secret_is_replaced_whole(tmp_path: Path) -> None:
    write_secret(tmp_path / "password", "old")
    write_secret(tmp_path / "password", "new")

    assert (tmp_path / "password").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["password"]


def test_a_private_folder_on_the_way_keeps_other_users_out(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir(mode=0o700)

    assert not everyone_may_enter(tmp_path / "private" / "data")
