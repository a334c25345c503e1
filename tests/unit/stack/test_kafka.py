"""What a broker is given before it starts."""

import base64
from uuid import UUID

from stack import kafka


def test_no_cluster_id_looks_like_an_option() -> None:
    found = kafka.cluster_id_of(UUID(bytes=b"\xf8" * 16))

    assert not found.startswith("-")
    assert len(base64.urlsafe_b64decode(found + "==")) == 16
