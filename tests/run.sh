#!/usr/bin/env bash
# The tests in four parts side by side, each with a Kafka and a PostgreSQL of its own: they wait for processes, brokers and
# time limits for more than half of their time. The first part speaks at once, the others when all are done.
# Arguments go to each pytest. Servers that run already (see CONTRIBUTING.md) are used by one part after the other.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

services=(tests/integration/booking tests/integration/reminders tests/chaos/timers)
notifier=(tests/integration/{notifier,records,retention,stack} tests/chaos/sending)
whole=(tests/chaos/test_*.py tests/end_to_end tests/reality) # the latter two keep one whole system to the end
rest=(tests/unit tests/contract tests/integration "${services[@]/#/--ignore=}" "${whole[@]/#/--ignore=}" "${notifier[@]/#/--ignore=}")
nothing_chosen=5 # pytest's exit code when ARGS such as -k choose none of a part

status=$nothing_chosen pids=() told=$(mktemp -d)
finish() {
  trap '' INT TERM
  kill "${pids[@]}" 2>/dev/null
  wait
  cat "$told"/*
  rm -rf "$told"
  exit "$1"
}
trap 'finish 130' INT TERM

start() { # start NAME ARGUMENT...
  .venv/bin/pytest -q -m "not chaos and not fuzz" -o cache_dir=".pytest_cache/$1" "${@:2}" &
  pids+=($!)
}
await_all() { # the first failure is the answer; no test chosen is one only if no part has any
  for pid in "${pids[@]}"; do
    wait "$pid"
    local ended=$?
    if [ $status = $nothing_chosen ] || { [ $status = 0 ] && [ $ended != $nothing_chosen ]; }; then status=$ended; fi
  done
  pids=()
}

side_by_side=yes
[ -z "${KAFKA_BOOTSTRAP_SERVERS:-}${DATABASE_ADMIN_URL:-}" ] || side_by_side=no
for name in rest notifier services whole; do
  declare -n paths=$name
  if [ $name = rest ]; then start $name "${paths[@]}" "$@"; else start $name "${paths[@]}" "$@" >"$told/$name" 2>&1; fi
  [ $side_by_side = yes ] || await_all
done
await_all
finish $status
