"""What `make docs` gathers for the site, before Zensical renders it."""

import importlib.util
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.examples import ROOT


@pytest.fixture(scope="module")
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build", ROOT / "docs" / "site" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write(root: Path, **pages: str) -> None:
    for name, text in pages.items():
        page = root / name.replace("__", "/").replace("_md", ".md")
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text)


def test_every_page_of_the_repository_that_is_not_a_tests_is_gathered(build: ModuleType) -> None:
    hidden = ("site", "tests")
    there = {
        page.relative_to(ROOT)
        for page in ROOT.rglob("*.md")
        if not page.relative_to(ROOT).parts[0].startswith((".", *hidden))
    }
    assert there == set(build.pages(ROOT))


def test_what_a_page_links_lies_beside_it_and_a_folder_is_its_readme(build: ModuleType, tmp_path: Path) -> None:
    root, into = tmp_path / "root", tmp_path / "into"
    write(root, README_md="[a](docs/) [b](src/) [c](src/a.py) [d](docs/README.md#x)", docs__README_md="# x\n")
    (root / "src").mkdir()
    (root / "src" / "a.py").write_text("A = 1\n")

    build.gather(root, into)

    assert (into / "README.md").read_text() == "[a](docs/README.md) b [c](src/a.py) [d](docs/README.md#x)"
    assert (into / "src" / "a.py").read_text() == "A = 1\n"


def test_a_link_that_leads_nowhere_ends_it(build: ModuleType, tmp_path: Path) -> None:
    write(tmp_path / "root", README_md="[a](gone/README.md)")
    with pytest.raises(FileNotFoundError, match=r"README\.md: gone/README\.md is not there"):
        build.gather(tmp_path / "root", tmp_path / "into")


def test_every_page_that_the_site_lists_is_gathered_and_no_script_comes_from_elsewhere(build: ModuleType) -> None:
    project = tomllib.loads((ROOT / "docs" / "site" / "zensical.toml").read_text())["project"]
    listed = [page for entry in project["nav"] for page in _pages(entry)]
    assert {Path(page) for page in listed} - set(build.pages(ROOT)) == set()
    assert (project["theme"]["font"], project["extra_javascript"]) == (False, [build.DRAWING])


def _pages(entry: dict[str, object]) -> list[str]:
    found: list[str] = []
    for value in entry.values():
        found += [value] if isinstance(value, str) else [page for each in value for page in _pages(each)]  # type: ignore[attr-defined]
    return found
