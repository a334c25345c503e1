"""The golden files: every kind, language and part as patients get it.

Written anew by `python -m tests.unit.notifier.golden`. Look at what changed (`git diff tests/unit/notifier/golden`)
before it is committed: these files are the review.
"""

from collections.abc import Iterator
from pathlib import Path

import orjson

from notifier.template_tools.lint import languages
from notifier.template_tools.preview import pages
from notifier.values.kinds import PATIENT_KINDS
from notifier.wording.renderer import Templates

FOLDER = Path(__file__).parent / "golden"


def rendered() -> Iterator[tuple[str, bytes]]:
    """Give each file's name and what should be in it."""
    templates = Templates()
    for page in pages(templates, PATIENT_KINDS, languages(templates, ""), sensitive=False):
        yield f"{page.name}.subject.txt", f"{page.subject}\n".encode()
        yield f"{page.name}.text.txt", f"{page.text}\n".encode()
        yield f"{page.name}.html", f"{page.html}\n".encode()
        yield f"{page.name}.sms.txt", "".join(f"{short.text}\n" for short in page.sms).encode()
        if page.whatsapp:
            yield f"{page.name}.whatsapp.json", orjson.dumps(page.whatsapp, option=orjson.OPT_INDENT_2) + b"\n"
        if page.entry:
            yield f"{page.name}.ics", page.entry.encode()


def write() -> int:
    """Write all of them, take away what no message has any more, and return how many there are."""
    FOLDER.mkdir(exist_ok=True)
    wanted = dict(rendered())
    for path in FOLDER.iterdir():
        if path.name not in wanted:
            path.unlink()
    for name, content in wanted.items():
        (FOLDER / name).write_bytes(content)
    return len(wanted)


if __name__ == "__main__":
    print(f"{write()} files in {FOLDER}")  # noqa: T201
