#!/usr/bin/env bash
# alone.sh UV SERVICE: a service stands alone if every module of it imports in an environment made from its own list and nothing else.
set -euo pipefail
uv=$1 name=$2
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
"$uv" venv -q --python .venv/bin/python "$work/venv"
VIRTUAL_ENV=$work/venv "$uv" pip sync -q --require-hashes "services/$name/requirements.lock"
PYTHONPATH=schemas/src:chassis/src:services/$name/src PYTHONDONTWRITEBYTECODE=1 "$work/venv/bin/python" - "$name" <<'PY'
import importlib, pkgutil, sys
name = sys.argv[1]
modules = [m.name for p in (name, "chassis") for m in pkgutil.walk_packages(importlib.import_module(p).__path__, f"{p}.")]
for module in modules:
    if not module.endswith("__main__"):
        importlib.import_module(module)
print(f"alone {name}: {len(modules)} modules import from its own list")
PY
