"""A Maildir with mails that cannot be taken: they hide no other, and nothing spins."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from chassis.process.clock import RealClock
from chassis.process.errors import Unavailable
from notifier.callbacks.handle.intake import Intake, Unread
from notifier.carriers.smtp.maildir import AT_ONCE, BounceMailbox
from notifier.receipts.domain import Carrier
from tests.support.notifier.builders import PEPPERS


class Kept:
    """Where unreadable mails are kept; away while it is told so."""

    def __init__(self) -> None:
        self.contents: list[bytes] = []
        self.away = False

    async def keep(self, _carrier: Carrier, items: Sequence[Unread]) -> int:
        if self.away:
            raise Unavailable("DATABASE_UNAVAILABLE", "away")
        if any(one.content == b"breaks" for one in items):
            raise RuntimeError("whatever reading it raises")
        self.contents += [one.content for one in items]
        return len(items)

    def transaction(self) -> Any:
        raise AssertionError("none of these mails says anything of an attempt")


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def box(tmp_path: Path, kept: Kept) -> BounceMailbox:
    for folder in ("new", "cur"):
        (tmp_path / folder).mkdir()
    intake = Intake(kept, kept, kept, PEPPERS, RealClock(), lambda *_: None, lambda: None)
    return BounceMailbox(tmp_path, intake, lambda *_: None)


async def test_a_hundred_mails_that_cannot_be_moved_hide_no_later_one(
    box: BounceMailbox, kept: Kept, tmp_path: Path
) -> None:
    for number in range(AT_ONCE):
        (tmp_path / "new" / f"{number:03}").write_bytes(b"stuck")
        (tmp_path / "cur" / f"{number:03}:2,").mkdir()
    (tmp_path / "new" / "later").write_bytes(b"later")

    rounds = [await box.round() for _ in range(3)]

    assert rounds == [0, 1, 0]
    assert b"later" in kept.contents
    assert len(kept.contents) == AT_ONCE + 1


async def test_a_mail_that_was_set_aside_is_tried_again_after_a_while(
    kept: Kept, tmp_path: Path, box: BounceMailbox
) -> None:
    intake = Intake(kept, kept, kept, PEPPERS, RealClock(), lambda *_: None, lambda: None)
    patient = BounceMailbox(tmp_path, intake, lambda *_: None, aside_s=0)
    (tmp_path / "new" / "one").write_bytes(b"stuck")
    (tmp_path / "cur" / "one:2,").mkdir()
    assert await patient.round() == 0
    (tmp_path / "cur" / "one:2,").rmdir()

    assert await patient.round() == 1
    assert (tmp_path / "cur" / "one:2,").read_bytes() == b"stuck"


async def test_a_mail_that_is_no_bounce_is_kept_before_it_is_moved(
    box: BounceMailbox, kept: Kept, tmp_path: Path
) -> None:
    (tmp_path / "new" / "junk").write_bytes(b"I am on holiday")
    kept.away = True
    with pytest.raises(Unavailable):
        await box.round()
    assert (tmp_path / "new" / "junk").exists()
    kept.away = False

    assert await box.round() == 1
    assert kept.contents == [b"I am on holiday"]
    assert (tmp_path / "cur" / "junk:2,").exists()


async def test_a_mail_whose_reading_breaks_is_set_aside_and_hides_no_other(
    box: BounceMailbox, kept: Kept, tmp_path: Path
) -> None:
    for name, content in (("1", b"breaks"), ("2", b"one"), ("3", b"breaks"), ("4", b"another")):
        (tmp_path / "new" / name).write_bytes(content)

    assert [await box.round() for _ in range(2)] == [2, 0]
    assert sorted(kept.contents) == [b"another", b"one"]
    assert sorted(mail.name for mail in (tmp_path / "new").iterdir()) == ["1", "3"]
