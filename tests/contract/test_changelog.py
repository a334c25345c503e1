"""CHANGELOG.md names the version that every part of the workspace carries, newest first."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
RELEASES = re.findall(
    r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d{2}-\d{2}$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
)


def test_every_part_carries_the_newest_version_of_the_changelog() -> None:
    own = ROOT / "pyproject.toml"
    members = tomllib.loads(own.read_text())["tool"]["uv"]["workspace"]["members"]
    manifests = [own, *(path for member in members for path in ROOT.glob(f"{member}/pyproject.toml"))]
    versions = {
        str(path.relative_to(ROOT)): tomllib.loads(path.read_text())["project"]["version"] for path in manifests
    }
    assert versions == dict.fromkeys(versions, RELEASES[0])
    assert len(versions) == 8


def test_releases_are_listed_newest_first() -> None:
    as_numbers = [tuple(map(int, release.split("."))) for release in RELEASES]
    assert as_numbers == sorted(set(as_numbers), reverse=True)
