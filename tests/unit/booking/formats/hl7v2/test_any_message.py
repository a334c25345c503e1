"""Whatever comes, the reader of HL7 v2 reads it or refuses it, and there is an answer to it."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.hl7v2 import MESSAGES, asked_everything, mutated


@settings(max_examples=2000, deadline=None)
@given(body=st.sampled_from(MESSAGES), random=st.randoms(use_true_random=False))
def test_a_spoiled_message_is_read_or_refused(body: bytes, random: Random) -> None:
    asked_everything(mutated(body, random))


@settings(max_examples=1000, deadline=None)
@given(after=st.binary(max_size=200), before=st.sampled_from([b"", b"MSH|^~\\&|", b"MSH", b"\xef\xbb\xbfMSH|^"]))
def test_bytes_of_any_kind_are_read_or_refused(before: bytes, after: bytes) -> None:
    asked_everything(before + after)


def test_what_is_not_spoiled_is_read() -> None:
    assert [asked_everything(body) for body in MESSAGES] == [(1, 0), (2, 0)]
