"""Write the pages that the code tells: settings, metrics, booking's states, profiles. `--check`: 1 if one is stale.

`make pages` runs it. What the first two say is what `python -m <service> settings --json` and `metrics --json` say.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import drawing
import knobs
import triggers

ROOT = Path(__file__).parents[2]
SERVICES = ("booking", "records", "reminders", "notifier")

type Told = dict[str, Any]
type ByService = dict[str, list[Told]]

SETTINGS_HEAD = """# Settings

<!-- made by `make pages` from the services' settings: what is to be said otherwise is said there -->

Every process is told everything by variables of its environment. `python -m <service> settings`
(`attend settings SERVICE`, `docker run --rm attend/SERVICE settings`) prints this page for one service, with `--json`
for programs, and needs nothing that runs. A setting that is missing or wrong ends the start with exit code 78 and is
named, its value never. A variable with a service's prefix that is no setting is logged at the start as
`settings.unknown`, with the nearest known name.

A **secret** is given by its variable or lies in a file: the same name with `_FILE` holds the file's path, and the last
end of line is no part of the secret. In a container each file in `/run/secrets` is also the variable of its own name.
"""
SHARED_HEAD = """
## Of every service

`<SERVICE>` is `BOOKING`, `RECORDS`, `REMINDERS` or `NOTIFIER`. What begins with `ATTEND_` or `KAFKA_` may be given for
one service alone, with its prefix in front of the setting (`RECORDS_LOG_LEVEL`), which wins.
"""
METRICS_HEAD = """# Metrics

<!-- made by `make pages` from the services' metrics: what is to be said otherwise is said there -->

`GET /metrics` at a process's port of operations answers in Prometheus' text format. `python -m <service> metrics`
(`attend metrics SERVICE`, `docker run --rm attend/SERVICE metrics`) prints this page for one service, with `--json` for
programs, and needs nothing that runs. Which are worth an alarm is said in [operating](operating.md#what-to-look-at).

A counter begins at 0 with its process. A histogram is shown as `…_bucket`, `…_count` and `…_sum`; beside each counter
and histogram stands `…_created`, when it began. Labels hold our own words, and names of sources, accounts and jobs,
never anything of a person.
"""
METRICS_SHARED = """
## Of every service

What publishes counts `attend_outbox_…`, what reads Kafka the others.
"""


def told(what: str, service: str) -> list[Told]:
    """Return what the service's own command says."""
    command = [sys.executable, "-m", service, what, "--json"]
    done = subprocess.run(command, env={"PATH": ""}, capture_output=True, text=True, check=True)  # noqa: S603  # ours
    found: list[Told] = json.loads(done.stdout)
    return found


def split(every: ByService, same: Callable[[str, Told], Told]) -> tuple[list[Told], ByService]:
    """Return what all services have, and what each has besides. `same` writes what is one setting but for a prefix."""
    written = {service: [same(service, one) for one in found] for service, found in every.items()}
    shared = [one for one in written[SERVICES[0]] if all(one in found for found in written.values())]
    return shared, {service: [one for one in found if one not in shared] for service, found in written.items()}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; what would end a cell is escaped."""
    lines = (" | ".join(cell.replace("|", "\\|") for cell in row) for row in (head, *rows))
    first, *others = (f"| {line} |" for line in lines)
    return "\n".join((first, "|---" * len(head) + "|", *others)) + "\n"


def code(text: object) -> str:
    """Return a word as code; nothing for none."""
    return "" if text is None else f"`{text}`"


def settings_page(every: ByService) -> str:
    """Return docs/settings.md."""

    def same(service: str, one: Told) -> Told:
        prefix = f"{service.upper()}_"
        names = {name: (one[name] or "").replace(prefix, "<SERVICE>_") or None for name in ("variable", "also", "file")}
        return one | names | ({"default": "each its own"} if one["variable"].endswith("_PORT") else {})

    shared, own = split(every, same)
    page = SETTINGS_HEAD + SHARED_HEAD + "\n" + _settings(shared)
    page += (
        "\nPorts outside a container: " + ", ".join(_ports(service, found) for service, found in every.items()) + ".\n"
    )
    for service, found in own.items():
        mine = [one for one in every[service] if same(service, one) in found]
        page += f"\n## {service}\n\n" + _settings(mine)
    return page


def _ports(service: str, found: list[Told]) -> str:
    ports = [one["default"] for one in found if one["variable"].endswith(("_HTTP_PORT", "_OPERATIONS_PORT"))]
    return f"{service} {' and '.join(ports)}"


def _settings(found: Iterable[Told]) -> str:
    rows = [(_variables(one), _kind(one), _default(one), one["meaning"]) for one in found]
    return table(("variable", "type", "default", "meaning"), rows)


def _variables(one: Told) -> str:
    also = f" or {code(one['also'])}" if (one["also"] or "").startswith("ATTEND_") else ""
    return code(one["variable"]) + also


def _kind(one: Told) -> str:
    return ", ".join(filter(None, ("secret" if one["secret"] else "", one["type"], one["unit"])))


def _default(one: Told) -> str:
    if one["required"]:
        return f"required by `{one['command']}`" if one["command"] else "required"
    return "each its own" if one["default"] == "each its own" else code(one["default"]) or "none"


def metrics_page(every: ByService) -> str:
    """Return docs/metrics.md."""
    shared, own = split(every, lambda _, one: one)
    page = METRICS_HEAD + METRICS_SHARED + "\n" + _metrics(shared)
    for service, found in own.items():
        page += f"\n## {service}\n\n" + (_metrics(found) if found else "None besides.\n")
    return page


def _metrics(found: Iterable[Told]) -> str:
    rows = [
        (code(one["name"]), one["kind"], ", ".join(map(code, one["labels"])), one["unit"] or "", one["meaning"])
        for one in found
    ]
    return table(("metric", "type", "labels", "unit", "meaning"), rows)


PAGES: dict[str, Callable[[ByService], str]] = {"settings": settings_page, "metrics": metrics_page}


def pages() -> dict[Path, str]:
    """Return each made page's place and text."""
    asked = [(what, service) for what in PAGES for service in SERVICES]
    with ThreadPoolExecutor(4) as together:
        answers = dict(zip(asked, together.map(lambda one: told(*one), asked), strict=True))
    asked_for = {
        ROOT / "docs" / f"{what}.md": page({service: answers[what, service] for service in SERVICES})
        for what, page in PAGES.items()
    }
    of_booking = {"transitions": drawing.page(), "hl7v2": triggers.page(), "profiles": knobs.page(table)}
    return asked_for | {ROOT / "docs" / "booking" / f"{name}.md": text for name, text in of_booking.items()}


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or say which are stale."""
    stale = {page: text for page, text in pages().items() if not page.exists() or page.read_text("utf-8") != text}
    for page, text in stale.items():
        name = page.relative_to(ROOT)
        if "--check" in arguments:
            sys.stdout.write(f"{name} is stale: make pages\n")
        else:
            page.write_text(text, "utf-8")
            sys.stdout.write(f"wrote {name}\n")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
