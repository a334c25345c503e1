"""Reading a mail's HTML as strictly as no browser does: well-formed, inert, and nothing fetched from elsewhere."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"meta", "br", "img", "hr", "col", "wbr"})
_SILENT = frozenset({"style", "title", "script"})
"""Elements whose text no reader sees in the mail."""

_FORBIDDEN = frozenset(
    {"script", "iframe", "object", "embed", "form", "input", "button", "link", "base", "video", "audio"}
)
"""Mail clients drop them, or the whole mail."""


@dataclass(slots=True)
class Markup:
    """What a piece of HTML says.

    Attributes:
        text: What a reader sees, white space as it stands.
    """

    text: str = ""
    elements: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)


def read(html: str) -> Markup:
    """Return what the HTML says and what is wrong with it: it may be a part of a page."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    for name, line in reader.open:
        reader.markup.faults.append(f"line {line}: <{name}> is never closed")
    return reader.markup


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.markup = Markup()
        self.open: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line = self.getpos()[0]
        self.markup.elements.add(tag)
        if tag in _FORBIDDEN:
            self.markup.faults.append(f"line {line}: <{tag}> does not belong in a mail")
        for name, value in attrs:
            self._attribute(line, name, (value or "").strip().lower())
        if tag not in _VOID:
            self.open.append((tag, line))

    def handle_endtag(self, tag: str) -> None:
        line = self.getpos()[0]
        if tag in _VOID or not any(name == tag for name, _ in self.open):
            self.markup.faults.append(f"line {line}: </{tag}> closes nothing")
            return
        name, opened = self.open.pop()
        while name != tag:
            self.markup.faults.append(f"line {opened}: <{name}> is still open at </{tag}> in line {line}")
            name, opened = self.open.pop()

    def handle_data(self, data: str) -> None:
        if not any(name in _SILENT for name, _ in self.open):
            self.markup.text += data

    def _attribute(self, line: int, name: str, value: str) -> None:
        if name.startswith("on"):
            self.markup.faults.append(f"line {line}: {name}= does not belong in a mail")
        if name in {"src", "srcset", "background"} and not value.startswith(("data:", "cid:")):
            self.markup.faults.append(f"line {line}: {name}= fetches from elsewhere, which tells who reads when")
        if name == "href" and not value.startswith(("https:", "mailto:", "tel:")):
            self.markup.faults.append(f"line {line}: href= is neither https, mailto nor tel")
