"""Build the documentation site: gather the pages of the repository, let Zensical render them, end with 1 on a bad link.

`make docs` runs it. The pages keep their places, so that links mean the same here and where the repository is read;
what they link that is no page, such as a source file, is copied beside them.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACES = (
    "*.md",
    "docs/**/*.md",
    "bench/*.md",
    "deploy/*.md",
    "examples/*.md",
    "schemas/*.md",
    "services/*/*.md",
    "stack/*.md",
)
LINK = re.compile(r"\[([^\[\]]*)\]\(([^)#\s:]+)((?:#[^)\s]*)?)\)")
DRAWING = "mermaid.min.js"


def pages(root: Path) -> list[Path]:
    """Return the pages of the site, as paths from the root."""
    return sorted({page.relative_to(root) for place in PLACES for page in root.glob(place)})


def gather(root: Path, into: Path) -> None:
    """Copy the pages and what they link. A link to a folder leads to the README in it; without one it is plain text.

    Raises:
        FileNotFoundError: A page links what is not there.
    """
    for page in pages(root):
        text = (root / page).read_text("utf-8")
        here = into / page
        here.parent.mkdir(parents=True, exist_ok=True)
        here.write_text(LINK.sub(partial(_to_a_file, root, page), text), "utf-8")
        for target in _linked(root, page, text):
            there = into / target.relative_to(root)
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(target, there)


def _linked(root: Path, page: Path, text: str) -> Iterator[Path]:
    """Yield the files that a page links and that are no pages."""
    for _, link, _ in LINK.findall(text):
        target = (root / page.parent / link).resolve()
        if target.is_file() and target.suffix != ".md":
            yield target


def _to_a_file(root: Path, page: Path, link: re.Match[str]) -> str:
    target = root / page.parent / link[2]
    if not target.exists():
        raise FileNotFoundError(f"{page}: {link[2]} is not there")
    if not target.is_dir():
        return link[0]
    return f"[{link[1]}]({link[2].rstrip('/')}/README.md)" if (target / "README.md").is_file() else link[1]


def _drawing() -> Path:
    """Return the library that draws the diagrams, from the package that carries it; a reader fetches nothing."""
    spec = find_spec("artoo_mermaid")
    if spec is None or spec.origin is None:
        sys.exit("artoo-mermaid is not installed: make docs installs it")
    return Path(spec.origin).parent / "assets" / DRAWING


def main() -> int:
    """Build into `site`, in the root."""
    work = ROOT / ".tools" / "site"
    shutil.rmtree(work, ignore_errors=True)
    try:
        gather(ROOT, work / "pages")
    except FileNotFoundError as error:
        sys.exit(str(error))
    shutil.copyfile(_drawing(), work / "pages" / DRAWING)
    shutil.copyfile(Path(__file__).with_name("zensical.toml"), work / "zensical.toml")
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict", "-f", str(work / "zensical.toml")]
    done = subprocess.run(command, cwd=work, check=False)  # noqa: S603  # our own command
    if done.returncode == 0:
        shutil.rmtree(ROOT / "site", ignore_errors=True)
        shutil.move(work / "out", ROOT / "site")
        sys.stdout.write("open site/index.html\n")
    return min(done.returncode, 1)


if __name__ == "__main__":
    sys.exit(main())
