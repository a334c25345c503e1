"""What a broker is given before it starts."""

import base64
from uuid import UUID

import pytest

from stack import kafka


def test_no_cluster_id_looks_like_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stack.kafka.uuid.uuid4", lambda: UUID(bytes=b"\xf8" * 16))

    found = kafka.new_cluster_id()

    assert not found.startswith("-")
    assert len(base64.urlsafe_b64decode(found + "==")) == 16
