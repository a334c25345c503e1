"""`attend dead-letters` takes what a service's own command takes, and hands it on whole."""

from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from chassis.delivery.dead_letters_cli import dead_letters_cli
from chassis.kafka import halt
from stack.commands import of_service

ACTIONS = ("list", "show", "replay", "discard", "skip")


class Services:
    """What was handed on, in order."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []

    def __call__(self, package: str, words: list[str]) -> None:
        self.asked.append((package, words))


def _unused(*_: Any) -> Any:
    raise NotImplementedError


def typed(*words: str, of: Any = of_service.dead_letters) -> tuple[Services, Any]:
    services = Services()
    return services, CliRunner().invoke(of(services), list(words), prog_name="attend dead-letters")


@pytest.mark.parametrize(
    ("words", "handed_on"),
    [
        ("list records", "list --state=open --limit=100 --"),
        ("list --json records --state all", "list --state=all --limit=100 --json --"),
        ("show records 7", "show -- 7"),
        ("replay reminders 7 8", "replay -- 7 8"),
        ("discard notifier 9", "discard -- 9"),
        (
            "skip records t 0 --to 0 --by records --reason t",
            "skip --to=0 --by=records --reason=t -- t 0",
        ),
        (
            "skip --dry-run --reason=-x booking t 3 --by=-- --to -1 --consumer c",
            "skip --to=-1 --by=-- --reason=-x --consumer=c --dry-run -- t 3",
        ),
    ],
)
def test_what_was_asked_is_handed_on_and_a_service_reads_it(words: str, handed_on: str) -> None:
    services, done = typed(*words.split())

    package = next(word for word in words.split() if word in ("records", "reminders", "notifier", "booking"))
    assert (done.exit_code, services.asked) == (0, [(package, ["dead-letters", *handed_on.split()])])
    theirs: Any = typer.main.get_command(dead_letters_cli("shop", _unused, _unused, _unused))
    action, *rest = handed_on.split()
    theirs.commands[action].make_context(action, rest)  # raises what it cannot read


def test_text_with_blanks_stays_one_word() -> None:
    services, _ = typed("skip", "records", "t", "0", "--to", "9", "--by", "ann", "--reason", "sent again; 'really' $1")

    assert services.asked[0][1][4] == "--reason=sent again; 'really' $1"


def test_the_help_names_every_action_and_each_action_its_options() -> None:
    told = typed("--help")[1].output
    assert [action for action in ACTIONS if action not in told] == []
    told = typed("skip", "--help")[1].output
    assert [option for option in ("--to", "--by", "--reason", "--consumer", "--dry-run") if option not in told] == []
    told = typed("--help", of=of_service.retention)[1].output
    assert [option for option in ("--dry-run", "--json") if option not in told] == []


@pytest.mark.parametrize("words", ["skip records t 0", "records list", "list", "list records --what", "show records x"])
def test_what_is_wrong_is_said_with_the_command_that_was_typed(words: str) -> None:
    services, done = typed(*words.split())

    assert (done.exit_code, services.asked) == (2, [])
    assert "Usage: attend dead-letters" in done.output


def test_the_way_out_that_readiness_tells_is_a_command_to_paste() -> None:
    told = halt.SKIP.format(service="records", topic="a.t", partition=3, to=9)

    assert told.startswith("attend dead-letters skip ")
    services, done = typed(*told.split()[2:])
    assert (done.exit_code, [package for package, _ in services.asked]) == (0, ["records"])
