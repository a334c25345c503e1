"""Runs in each Python process that has this folder on its path: notes which files it enters, while it is asked to.

The folder `ATTEND_TRACE` is how a test speaks to it: each process puts `<pid>.ready` there, begins once `begin` is
there and says so by `<pid>.begun`, and writes `<pid>.json` once `end` is there. Until then it costs a look each 20 ms.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path
from types import CodeType

EVERY_S = 0.02
TOOL = 4  # none of the ids that debuggers, coverage and profilers take


def watch(folder: Path) -> None:
    """Wait for the beginning, note every file of which a function begins or goes on, and write them down at the end."""
    monitoring, entered = sys.monitoring, set[str]()

    def note(code: CodeType, _: int) -> object:
        entered.add(code.co_filename)
        return monitoring.DISABLE

    me = folder / str(os.getpid())
    me.with_suffix(".ready").touch()
    wait_for(folder / "begin")
    monitoring.use_tool_id(TOOL, "walk")
    events = monitoring.events.PY_START | monitoring.events.PY_RESUME
    for event in (monitoring.events.PY_START, monitoring.events.PY_RESUME):
        monitoring.register_callback(TOOL, event, note)
    monitoring.set_events(TOOL, events)
    me.with_suffix(".begun").touch()
    wait_for(folder / "end")
    monitoring.set_events(TOOL, monitoring.events.NO_EVENTS)
    written = me.with_suffix(".part")
    written.write_text(json.dumps(sorted(entered)))
    written.rename(me.with_suffix(".json"))


def wait_for(path: Path) -> None:
    """Return once the file is there."""
    while not path.exists():
        time.sleep(EVERY_S)


def begin() -> None:
    """Watch from a thread of this process."""
    threading.Thread(target=watch, args=(FOLDER,), name="walk", daemon=True).start()


if named := os.environ.get("ATTEND_TRACE"):
    FOLDER = Path(named)
    os.register_at_fork(after_in_child=begin)
    if "stack.nursery" not in sys.orig_argv:  # it forks, and a fork takes no thread along
        begin()
