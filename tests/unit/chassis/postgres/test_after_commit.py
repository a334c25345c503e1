"""Counts and log lines tell what happened: they come after the commit, once, and never of what was rolled back."""

import asyncio

import pytest

from chassis.postgres.after_commit import after_commit, said_after_commit


def test_what_is_said_in_a_transaction_is_said_when_it_is_over_in_order() -> None:
    said: list[str] = []

    with said_after_commit():
        after_commit(said.append, "first")
        after_commit(said.append, "second")
        assert said == []

    assert said == ["first", "second"]


def test_a_transaction_that_fails_has_said_nothing_and_the_next_try_says_it_once() -> None:
    said: list[str] = []

    def attempt(*, fails: bool) -> None:
        with said_after_commit():
            after_commit(said.append, "done")
            if fails:
                raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        attempt(fails=True)
    attempt(fails=False)

    assert said == ["done"]


def test_where_no_transaction_is_under_way_it_is_said_at_once() -> None:
    said: list[str] = []
    after_commit(said.append, "now")
    assert said == ["now"]


async def test_transactions_side_by_side_say_each_its_own() -> None:
    said: list[str] = []
    both = asyncio.Barrier(2)

    async def transaction(name: str, *, fails: bool) -> None:
        with said_after_commit():
            after_commit(said.append, name)
            await both.wait()
            if fails:
                raise ConnectionResetError

    outcomes = await asyncio.gather(
        transaction("kept", fails=False), transaction("lost", fails=True), return_exceptions=True
    )

    assert said == ["kept"]
    assert [type(outcome) for outcome in outcomes] == [type(None), ConnectionResetError]
