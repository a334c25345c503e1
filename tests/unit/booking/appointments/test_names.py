"""Who an appointment is: all names that a message carries are its names, in the order in which a batch gives them."""

from typing import Any
from uuid import UUID

import pytest

from booking.appointments.domain.batch import Batch
from booking.values.names import Names, are_two, in_doubt
from schemas.appointments import Status
from tests.support.booking.builders import batch, change, command

PLACER, FILLER = "urn:placer|77", "urn:filler|77"


def of(*names: str) -> tuple[tuple[str, str], ...]:
    return tuple(("local", name) for name in names)


def taken(found: Batch, *messages: tuple[str, ...]) -> list[UUID | str]:
    """Return the appointment that each message is of, or the code of its refusal."""
    told = []
    for number, (first, *others) in enumerate(messages):
        answer = found.take(command(f"e{number}", appointment=first, other_names=tuple(others)))
        told.append(
            answer.refusal.code if answer.refusal else answer.recorded.appointment_id if answer.recorded else ""
        )
    return told


@pytest.mark.parametrize(
    ("messages", "owners"),
    [
        ([("v1", "v2"), ("v2", "v1"), ("v2",), ("v1",)], [7, 7, 7, 7]),
        ([("v1",), ("v2", "v1"), ("v2",)], [7, 7, 7]),
        ([("v1", "v2"), ("v3", "v2"), ("v4", "v3"), ("v4",)], [7, 7, 7, 7]),
        ([("v1",), ("v2",), ("v1", "v2"), ("v1",)], [7, 8, "IDENTITY_CONFLICT", 7]),
        ([("v1",), ("v2",), ("v3", "v1", "v2"), ("v3",)], [7, 8, "IDENTITY_CONFLICT", 9]),
    ],
)
def test_names_of_one_batch_are_given_in_its_order(messages: list[tuple[str, ...]], owners: list[int | str]) -> None:
    found = batch(new=[f"v{n}" for n in range(1, 10)])
    assert taken(found, *messages) == [UUID(int=one) if isinstance(one, int) else one for one in owners]


def test_a_refused_message_gives_no_name_and_gives_those_made_for_it_back() -> None:
    found = batch(new=["v1", "v2", "v3"])
    assert taken(found, ("v1",)) == [UUID(int=7)]
    refused = found.take(command("x", appointment="v2", other_names=("v1", "v3"), clinic="NOWHERE"))
    assert refused.refusal is not None
    assert refused.source == "local"
    assert found.unused() == list(of("v2", "v3"))
    assert found.further_names() == {}
    assert found.take(command("y", appointment="v2")).refusal is None
    assert found.unused() == list(of("v3"))


def test_a_stale_message_gives_its_names_all_the_same() -> None:
    first = batch(new=["v1"])
    first.take(command("e1", sequence=5))
    later = batch(known=first, new=["v2"])
    answer = later.take(change("e2", Status.CANCELLED, sequence=4, other_names=("v2",)))
    assert answer.result is not None
    assert (answer.result.value, later.further_names()) == ("stale", {("local", "v2"): UUID(int=7)})


def test_names_of_two_known_ones_conflict_unless_both_have_other_names_of_one_system() -> None:
    known = {("local", name): name[-1] for name in ("urn:a|1", "urn:b|1", "urn:a|2", "urn:group|1")}
    texts = {"1": {"urn:a|1", "urn:b|1", "urn:group|1"}, "2": {"urn:a|2"}}
    found = Names(known, texts)
    assert found.find(of("urn:a|1", "urn:b|1")).owners == ["1"]
    assert found.find(of("urn:b|3", "urn:a|2")).owners == ["2"]
    assert found.find(of("urn:b|1", "urn:a|2", "urn:b|2")) == (["1", "2"], False)
    shared = found.find(of("urn:a|2", "urn:group|1"))
    assert shared == (["2"], True)
    assert found.find(of("urn:a|3", "urn:group|1")) == ([], True)


@pytest.mark.parametrize(
    ("names", "others", "two"),
    [
        ([PLACER], [FILLER], False),
        ([PLACER, FILLER], [FILLER], False),
        (["urn:placer|78", FILLER], [PLACER, FILLER], True),
        (["urn:placer|78", PLACER, FILLER], [PLACER, FILLER], False),
        (["78"], ["77"], False),
        (["a|b|1"], ["a|b|2"], True),
    ],
)
def test_two_that_have_names_of_one_system_and_share_none_are_two(
    names: list[str], others: list[str], *, two: bool
) -> None:
    assert are_two(names, others) is two
    assert are_two(others, names) is two


def test_owners_are_in_doubt_only_where_the_first_name_does_not_say_it() -> None:
    owners = {("local", "a"): 1, ("local", "b"): 1, ("local", "c"): 2}
    assert in_doubt([of("a"), of("a", "b"), of("d"), of("d", "e")], owners) == set()
    assert in_doubt([of("a", "c")], owners) == {1, 2}
    assert in_doubt([of("d", "c")], owners) == {2}


PLACERS, FILLERS = ("urn:placer|1", "urn:placer|2"), ("urn:filler|1", "urn:filler|2")
REFERRAL = "urn:referral|1"


@pytest.mark.parametrize(
    ("messages", "owners", "is_passed"),
    [
        ([(PLACERS[0], FILLERS[0]), (PLACERS[1], FILLERS[1]), (PLACERS[0], FILLERS[1])], [0, 1], False),
        ([(PLACERS[0], FILLERS[0]), (PLACERS[1], FILLERS[1]), (FILLERS[1], PLACERS[0])], [1, 0], False),
        ([(PLACERS[0], REFERRAL), (PLACERS[1],), (PLACERS[1], REFERRAL)], [1], True),
        ([(PLACERS[0], REFERRAL), (PLACERS[1], REFERRAL)], [], True),
        ([("https://a/Patient/1", "Patient/1"), ("https://b/Patient/1", "Patient/1")], [], True),
        ([("https://a/Patient/1", "Patient/1"), ("Patient/1",)], [0], False),
        ([("Patient/1",), ("https://a/Patient/1", "Patient/1")], [0], False),
    ],
)
def test_names_of_two_known_ones_are_of_two_and_only_a_number_of_a_series_is_shared(
    messages: list[tuple[str, ...]], owners: list[int], *, is_passed: bool
) -> None:
    found: Names[int] = Names({})
    *before, last = messages
    for owner, names in enumerate(before):
        found.give(of(*names), owner)
        found.texts[owner] = set(names)
    told = found.find(of(*last))
    assert (list(told.owners), told.passed) == (owners, is_passed)


FIRST, SECOND, FOREIGN = ("filler|F1", "placer|1"), ("filler|F2", "placer|1"), ("filler|F3", "placer|3")
NEW = [*FIRST, "filler|F2", *FOREIGN]


@pytest.mark.parametrize(
    ("messages", "is_of_first"),
    [
        ([(SECOND, {"follows": True})], True),
        ([(SECOND, {})], False),
        ([(SECOND, {"follows": True, "patient": "bob"})], False),
        ([(SECOND, {"follows": True, "patient": None})], True),
        ([(SECOND, {"follows": True}), (("filler|F2",), {})], True),
        ([(SECOND, {}), (SECOND, {"follows": True})], False),
        ([((*FIRST,), {"follows": True, "patient": "bob"})], True),
        ([(FOREIGN, {}), (("filler|F3", "placer|1"), {"follows": True})], None),
    ],
)
def test_a_change_under_a_new_first_name_is_of_the_visit_that_another_of_its_names_names(
    messages: list[tuple[tuple[str, ...], dict[str, Any]]], *, is_of_first: bool | None
) -> None:
    found = batch(new=NEW)
    booked = found.take(command("e0", appointment=FIRST[0], other_names=FIRST[1:])).recorded
    for number, ((first, *others), given) in enumerate(messages, start=1):
        answer = found.take(command(f"e{number}", appointment=first, other_names=tuple(others), **given))
    assert booked
    if is_of_first is None:
        assert answer.refusal
        assert answer.refusal.code == "IDENTITY_CONFLICT"
        return
    assert answer.recorded
    assert (answer.recorded.appointment_id == booked.appointment_id) is is_of_first
    assert ("IDENTITY_CONFLICT" in {warned.code for warned in answer.warnings}) is (
        messages[-1][0] == SECOND and not is_of_first
    )
