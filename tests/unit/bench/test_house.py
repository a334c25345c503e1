"""The shape of a small product, with one thing wrong at a time, as `make house` must report it."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bench.house.__main__ import RECORDED
from bench.house.imports import contracts, longest_chain, strongly_connected
from bench.house.shape import Shape, house
from bench.house.touched import Touched, sort_out, touched

ROOT = Path(__file__).parents[3]
FLOORS = """
[[tool.importlinter.contracts]]
name = "floors"
type = "layers"
containers = ["{name}"]
layers = ["(wiring) : (wiring_lanes)", "lanes | inbox", "(never_built)", "values"]
"""
SOUND = {
    "wiring.py": "from {name}.lanes import loop\nfrom {name}.inbox.store import Store\n",
    "lanes/__init__.py": '"""Only words."""\n',
    "lanes/loop.py": "from {name} import values\nfrom {name}.lanes.claims import claim\n",
    "lanes/claims.py": "from {name}.values import kinds\n\ndef claim():\n    return kinds\n",
    "inbox/__init__.py": "",
    "inbox/store.py": "from {name}.values.kinds import KINDS\n\n\nclass Store:\n    pass\n",
    "values/__init__.py": "",
    "values/kinds.py": "KINDS = 1\n",
}

KINDS = ("files", "product", "rooms")

type Measure = Callable[..., Shape]


@pytest.fixture
def measure(tmp_path: Path) -> Measure:
    """Return a function that builds a package of the sound files and the given ones, and measures it."""

    def measured(name: str, changed: Mapping[str, str] = SOUND, floors: str = FLOORS) -> Shape:
        (tmp_path / "pyproject.toml").write_text(
            f'[tool.importlinter]\nroot_packages = ["{name}"]\n' + floors.format(name=name)
        )
        for place, text in {"__init__.py": "", **SOUND, **changed}.items():
            path = tmp_path / "services" / name / "src" / name / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.format(name=name))
        return house(tmp_path)[name]

    return measured


def test_a_sound_package_has_rooms_floors_and_arrows_and_nothing_against_them(measure: Measure) -> None:
    shape = measure("sound")
    assert (shape.rooms, shape.lone_files) == (("inbox", "lanes", "values"), ("wiring",))
    assert (shape.floors, shape.arrows, shape.upward, shape.knots) == (3, 4, (), ())


def test_an_init_with_words_alone_is_no_file(measure: Measure) -> None:
    shape = measure("words")
    assert (shape.files, shape.files_a_room) == (5, 1)
    assert (shape.largest_room.size, shape.largest_room.name) == (2, "lanes")


def test_an_import_from_a_lower_floor_is_an_upward_arrow(measure: Measure) -> None:
    shape = measure("planted_arrow", {"values/kinds.py": "from {name}.lanes.claims import claim\n"})
    assert shape.upward == (("planted_arrow.values", "planted_arrow.lanes"),)


def test_an_upward_arrow_that_the_contract_ignores_is_counted(measure: Measure) -> None:
    ignoring = FLOORS + 'ignore_imports = ["{name}.values.kinds -> {name}.lanes.claims"]\n'
    shape = measure("ignored_arrow", {"values/kinds.py": "from {name}.lanes.claims import claim\n"}, ignoring)
    assert shape.upward == (("ignored_arrow.values", "ignored_arrow.lanes"),)


def test_an_upward_arrow_inside_a_room_with_floors_of_its_own_is_counted(measure: Measure) -> None:
    inner = FLOORS + '[[tool.importlinter.contracts]]\nname = "inner"\ntype = "layers"\nlayers = ["{name}.lanes.{a}"]\n'
    inner = inner.replace('"{name}.lanes.{a}"', '"{name}.lanes.claims", "{name}.lanes.loop"')
    shape = measure("inner_floors", floors=inner)
    assert shape.upward == (("inner_floors.lanes.loop", "inner_floors.lanes.claims"),)
    assert shape.floors == 3


def test_rooms_that_import_each_other_are_a_knot(measure: Measure) -> None:
    files = {"lanes/claims.py": "import {name}.inbox.store\n", "inbox/bell.py": "import {name}.lanes\n"}
    shape = measure("knotted", files)
    assert shape.knots == (("knotted.inbox", "knotted.lanes"),)


def test_a_knot_of_three_files_deep_in_a_room_is_one_knot(measure: Measure) -> None:
    files = {f"lanes/deep/{a}.py": f"from {{name}}.lanes.deep import {b}\n" for a, b in ("xy", "yz", "zx")}
    shape = measure("deep_knot", {**files, "lanes/deep/__init__.py": ""})
    assert shape.knots == (tuple(f"deep_knot.lanes.deep.{name}" for name in "xyz"),)


def test_without_a_contract_floors_are_the_longest_chain_and_nothing_is_up(measure: Measure) -> None:
    shape = measure("free", {"wiring_lanes.py": "import {name}.wiring\n"}, floors="")
    assert (shape.floors, shape.upward) == (4, None)


def test_the_rooms_of_a_knot_stand_on_one_floor() -> None:
    arrows = frozenset({("top", "a"), ("a", "b"), ("b", "a"), ("b", "low")})
    assert longest_chain(["top", "a", "b", "low", "apart"], arrows) == 3
    assert strongly_connected(arrows) == {frozenset({"top"}), frozenset({"a", "b"}), frozenset({"low"})}


def test_a_pattern_of_containers_is_refused_because_its_floors_could_not_be_told_apart() -> None:
    with pytest.raises(ValueError, match=r"'floors': name the containers, booking\.\* is a pattern"):
        contracts({"contracts": [{"name": "floors", "type": "layers", "containers": ["booking.*"], "layers": ["a"]}]})


def test_the_longest_function_and_file_are_named_and_code_is_counted_without_words(measure: Measure) -> None:
    long = '"""A file."""\n\n# why\nA = """two\nlines"""\n\n\nclass C:\n    async def long(self):\n        """Say."""\n'
    shape = measure("lengthy", {"inbox/store.py": long + "        await self\n\n" * 20 + "class Store: ...\n"})
    assert (shape.largest_function.size, shape.largest_function.name) == (41, "inbox/store.py:long")
    assert (shape.largest_file.size, shape.largest_file.name) == (51, "inbox/store.py")
    others = 2 + 2 + 3 + 1
    assert shape.code == others + len(["A", "lines", "class C", "def", "class Store"]) + 20


def test_the_fullest_folder_is_the_one_with_most_files_directly_in_it(measure: Measure) -> None:
    shape = measure("corridor", {f"lanes/http/{n}.py": "A = 1\n" for n in range(3)} | {"lanes/http/__init__.py": ""})
    assert (shape.largest_room.size, shape.largest_room.name) == (5, "lanes")
    assert (shape.side_by_side.size, shape.side_by_side.name) == (3, "corridor/lanes/http")


def test_a_package_that_is_nowhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.importlinter]\nroot_packages = ["nowhere"]\n')
    with pytest.raises(FileNotFoundError, match="no folder src/nowhere"):
        house(tmp_path)


def test_a_folder_without_init_is_refused_because_its_imports_would_not_be_seen(measure: Measure) -> None:
    with pytest.raises(FileNotFoundError, match=r"bare/lanes/http: no __init__\.py"):
        measure("bare", {"lanes/http/routes.py": "from {name} import inbox\n"})


def test_touched_paths_are_sorted_into_product_files_and_rooms() -> None:
    paths = [
        "services/notifier/src/notifier/adapters/carriers/push.py",
        "services/notifier/src/notifier/adapters/gate.py",
        "services/notifier/src/notifier/wiring.py",
        "services/notifier/src/notifier/migrations/0099_push.sql",
        "services/notifier/src/notifier/__init__.py",
        "services/notifier/src/notifier/py.typed",
        "services/notifier/pyproject.toml",
        "schemas/src/schemas/notifications.py",
        "schemas/json/message.requested.v1.json",
    ]
    change = sort_out(paths)
    assert (len(change.files), len(change.product)) == (9, 7)
    assert change.rooms == ("notifier/adapters", "notifier/migrations", "notifier/wiring", "schemas/notifications")


def test_a_change_is_what_is_committed_changed_removed_moved_and_not_yet_known_to_git(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        command = ["git", "-C", str(tmp_path), "-c", "user.name=T", "-c", "user.email=t@example.org", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603

    def write(place: str, text: str = "A = 1\n") -> None:
        path = tmp_path / "src" / "cottage" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    git("init", "-q")
    write("same.py")
    write("gate/moved.py", "\n".join(f"A{n} = {n}" for n in range(30)))
    write("gone.py", "B = 2\n")
    (tmp_path / ".gitignore").write_text("*.log\n")
    git("add", ".")
    git("commit", "-qm", "before")
    base = git("rev-parse", "HEAD")
    write("committed.py", "C = 3\n")
    git("add", ".")
    git("commit", "-qm", "after")
    (tmp_path / "src/cottage/lanes").mkdir()
    git("mv", "src/cottage/gate/moved.py", "src/cottage/lanes/moved.py")
    git("rm", "-q", "src/cottage/gone.py")
    write("unknown/é.py")
    write("run.log")
    change = touched(tmp_path / "src", base)
    assert change.files == tuple(f"src/cottage/{name}.py" for name in ("committed", "gone", "lanes/moved", "unknown/é"))
    assert change.rooms == ("cottage/committed", "cottage/gone", "cottage/lanes", "cottage/unknown")


def test_each_of_the_twelve_changes_is_recorded_with_what_it_touched() -> None:
    recorded = json.loads(RECORDED.read_text())
    assert "before" in recorded
    for tried in recorded.values():
        assert len(tried["changes"]) == 12
        for change in tried["changes"].values():
            assert sort_out(change["files"]) == Touched(*map(tuple, (change[kind] for kind in KINDS)))
    command = [sys.executable, "-m", "bench.house", "--twelve"]
    shown = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S603
    assert all(name in shown for name in recorded["before"]["changes"])


def test_the_command_prints_json_of_each_package_of_this_product() -> None:
    command = [sys.executable, "-m", "bench.house", "--json"]
    shown = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)  # noqa: S603
    assert list(shown) == ["schemas", "chassis", "stack", "booking", "records", "reminders", "notifier"]
    assert all(shape["knots"] == [] and not shape["upward"] for shape in shown.values())
