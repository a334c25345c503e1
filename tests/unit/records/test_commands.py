"""What a person may do to a sub-file, and what it becomes (D1, D6)."""

from dataclasses import replace
from typing import Any

import pytest

from records.domain import SubFile, open_sub_file
from records.domain_commands import Act, Command, Refused, changed
from schemas.subfiles import SubFileStatus
from tests.support.records.builders import id_of, seen

KNOWN = {id_of("dr who"), id_of("dr no")}


def file(ordinal: int = 1, main_file: str | None = "FILE-2026-000007", **changes: Any) -> SubFile:
    return replace(open_sub_file((id_of("ann"), "EYE"), ordinal, main_file, seen(), KNOWN), **changes)


def command(act: Act, provider: str | None = None) -> Command:
    return Command(file().sub_file_id, act, "A. Abara", "treatment ended", id_of(provider) if provider else None)


def after(held: SubFile, act: Act, provider: str | None = None, newest: SubFile | None = None) -> SubFile:
    return changed(held, newest or held, command(act, provider), KNOWN)


def refusal(held: SubFile, act: Act, provider: str | None = None, newest: SubFile | None = None) -> str:
    with pytest.raises(Refused) as caught:
        after(held, act, provider, newest)
    return caught.value.code


CLOSED = SubFileStatus.CLOSED


def test_d1_a_closed_file_keeps_its_number_and_has_the_next_version_and_a_cause_of_its_own() -> None:
    held = file()
    closed = after(held, Act.CLOSE)

    assert (closed.status, closed.number, closed.version) == (CLOSED, held.number, 2)
    assert closed.caused_by not in {held.caused_by, after(closed, Act.REOPEN).caused_by}


def test_d1_a_file_opened_again_is_active_with_its_number() -> None:
    again = after(file(status=CLOSED), Act.REOPEN)

    assert (again.status, again.number, again.version) == (SubFileStatus.ACTIVE, file().number, 2)


@pytest.mark.parametrize(
    ("held", "act", "provider"),
    [
        (file(status=CLOSED), Act.CLOSE, None),
        (file(), Act.REOPEN, None),
        (file(main_file=None), Act.REOPEN, None),
        (file(), Act.PROVIDER, "dr who"),
    ],
)
def test_what_is_so_already_changes_nothing(held: SubFile, act: Act, provider: str | None) -> None:
    assert after(held, act, provider) is held


def test_d6_a_command_replaces_a_provider_or_takes_him_away() -> None:
    assert after(file(), Act.PROVIDER, "dr no").provider_id == id_of("dr no")
    gone = after(file(), Act.PROVIDER)
    assert (gone.provider_id, gone.wanted_provider_id) == (None, None)


def test_what_the_files_state_does_not_allow_is_refused_with_its_code() -> None:
    assert refusal(file(main_file=None), Act.CLOSE) == "SUB_FILE_PARKED"
    assert refusal(file(status=CLOSED), Act.REOPEN, newest=file(2)) == "SUB_FILE_REPLACED"
    assert refusal(file(status=CLOSED), Act.PROVIDER, "dr no") == "SUB_FILE_CLOSED"
    assert refusal(file(), Act.PROVIDER, "dr nobody") == "UNKNOWN_PROVIDER"
