#!/usr/bin/env bash
# The tests in two halves side by side, each with a Kafka and a PostgreSQL of its own: they wait for processes, brokers and
# time limits for more than half of their time. The first half speaks at once, the second when the first is done.
# Arguments go to both pytests. Servers that run already (see CONTRIBUTING.md) are used by one half after the other.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

later=(tests/integration/reminders tests/integration/records tests/integration/retention tests/integration/stack)
first=(tests/unit tests/contract tests/integration "${later[@]/#/--ignore=}")
second=("${later[@]}" tests/chaos tests/end_to_end) # the last keeps its whole system to the end
nothing_chosen=5 # pytest's exit code when ARGS such as -k choose none of a half

half() { # half NAME ARGUMENT...
  exec .venv/bin/pytest -q -m "not chaos and not fuzz" -o cache_dir=".pytest_cache/$1" "${@:2}"
}

told=$(mktemp)
finish() {
  trap '' INT TERM
  kill "${pids[@]}" 2>/dev/null
  wait
  cat "$told"
  rm -f "$told"
  exit "$1"
}
pids=()
trap 'finish 130' INT TERM

side_by_side=yes
[ -z "${KAFKA_BOOTSTRAP_SERVERS:-}${DATABASE_ADMIN_URL:-}" ] || side_by_side=no

[ $side_by_side = no ] || { half second "${second[@]}" "$@" >"$told" 2>&1 & pids+=($!); }
half first "${first[@]}" "$@" &
pids+=($!)
wait "${pids[-1]}"
one=$?
[ $side_by_side = yes ] || { half second "${second[@]}" "$@" >"$told" 2>&1 & pids=($!); }
wait "${pids[0]}"
other=$?
pids=()

[ $one = $nothing_chosen ] && one=$other
[ $other = $nothing_chosen ] && other=$one
finish $((one ? one : other))
