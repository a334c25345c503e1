"""Whose a key is, is remembered for a moment; what a look-up says meanwhile counts at once."""

from chassis.api.remembered_keys import REMEMBERED_S, RememberedKeys


async def test_a_look_up_that_finds_nobody_ends_what_was_remembered() -> None:
    held, now = {"key": "riverside"}, [0.0]

    async def look_up(key: str) -> str | None:
        return held.get(key)

    keys = RememberedKeys(look_up, lambda: now[0])
    assert await keys.holder("key") == "riverside"
    held.clear()
    assert await keys.holder("key") == "riverside"
    assert (await keys.holder_now("key"), await keys.holder("key")) == (None, None)
    held["key"] = "hillside"
    assert await keys.holder("key") == "hillside"
    held["key"] = "riverside"
    now[0] += REMEMBERED_S
    assert await keys.holder("key") == "riverside"
