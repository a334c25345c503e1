"""The Python that stands in shell scripts finds what it imports: no type checker reads it."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

from tests.support.examples import ROOT

INLINE = re.compile(r"<<'PY'\n(.*?)^PY$", re.DOTALL | re.MULTILINE)
SCRIPTS = [path for folder in ("tests", "deploy") for path in sorted((ROOT / folder).rglob("*.sh"))]
WITH_PYTHON = [path for path in SCRIPTS if INLINE.search(path.read_text())]


@pytest.mark.parametrize("script", WITH_PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_script_imports_is_there(script: Path) -> None:
    for code in INLINE.findall(script.read_text()):
        for node in ast.walk(ast.parse(code)):
            match node:
                case ast.ImportFrom(module=str(module), names=names):
                    assert [one.name for one in names if not has(module, one.name)] == [], module
                case ast.Import(names=names):
                    for one in names:
                        import_module(one.name)


def has(module: str, name: str) -> bool:
    if hasattr(import_module(module), name):
        return True
    try:
        import_module(f"{module}.{name}")
    except ModuleNotFoundError:
        return False
    return True


def test_scripts_with_python_in_them_are_found() -> None:
    assert ROOT / "tests/containers/run.sh" in WITH_PYTHON
