"""Derived ids: the same parts give the same id, for ever, everywhere."""

import json
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from schemas import wire

PATIENT = UUID("018f3b1c-7d2a-7c3e-9b1a-0123456789ab")


@given(st.lists(st.one_of(st.text(), st.integers(-(2**53), 2**53), st.uuids()), max_size=5))
def test_a_derived_id_is_the_uuid5_over_the_canonical_json_array_of_its_parts(parts: list[str | int | UUID]) -> None:
    array = [part if isinstance(part, int) else str(part) for part in parts]
    canonical = json.dumps(array, separators=(",", ":"), ensure_ascii=False)

    assert wire.derived_id(*parts) == uuid5(wire.NAMESPACE, canonical)


def test_an_id_is_the_same_from_a_uuid_and_from_its_text() -> None:
    assert wire.sub_file_id(PATIENT, "EYE", 1) == wire.sub_file_id(str(PATIENT), "EYE", 1)
    assert wire.event_id(PATIENT, 3) == wire.event_id(str(PATIENT), 3)


def test_ids_are_these_and_must_stay_these() -> None:
    assert str(wire.NAMESPACE) == str(
        uuid5(UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8"), "https://attend.example/ids/v1")
    )
    assert str(wire.event_id(PATIENT, 1)) == str(uuid5(wire.NAMESPACE, f'["event","{PATIENT}",1]'))
    assert str(wire.sub_file_id(PATIENT, "EYE", 1)) == str(uuid5(wire.NAMESPACE, f'["sub-file","{PATIENT}","EYE",1]'))
