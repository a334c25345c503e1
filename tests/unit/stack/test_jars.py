import hashlib
from importlib.resources import files
from pathlib import Path

import pytest

from chassis.process.errors import Misconfigured
from stack import jars

LOCK = """
[[dependencies]]
groupId = "org.example"
artifactId = "thing"
version = "1.0"
sha256 = "{sha256}"
"""


def test_every_jar_of_the_broker_is_pinned() -> None:
    pinned = jars.pins()

    assert len(pinned) == 44
    assert pinned[0].file_name == "kafka_2.13-4.4.0.jar"
    assert all(len(pin.sha256) == 64 for pin in pinned)


def test_the_lock_file_holds_no_addresses() -> None:
    assert "://" not in (files("stack") / "jgo.lock.toml").read_text("utf-8")


def test_a_pin_without_a_checksum_is_refused() -> None:
    with pytest.raises(Misconfigured, match="no sha256 for thing"):
        jars.pins(LOCK.replace('sha256 = "{sha256}"', ""))


def test_a_jar_is_taken_only_when_its_bytes_are_the_pinned_ones(tmp_path: Path) -> None:
    jar = tmp_path / "thing-1.0.jar"
    pinned = hashlib.sha256(b"good").hexdigest()

    assert not jars.matches(jar, pinned)
    jar.write_bytes(b"good")
    assert jars.matches(jar, pinned)
    jar.write_bytes(b"goo")
    assert not jars.matches(jar, pinned)


def test_a_pin_knows_its_place_in_a_repository() -> None:
    (pin,) = jars.pins(LOCK.format(sha256="0" * 64))

    assert pin.place == Path("org/example/thing/1.0/thing-1.0.jar")
