#!/usr/bin/env bash
# The images as they are deployed: build, `docker compose up --wait`, the end-to-end tests, then faults; all taken down at the end.
# Everything is bound to 127.0.0.1 on ports of this run's own; partitions are cut inside the containers' own networks.
#   SHARED=DIR   folder with docker/images.sh, for machines that cannot pull official images (default ../shared)
#   KEEP=1       leave the containers running
# Arguments go to pytest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
PATH=$PATH:/usr/sbin:/sbin  # iptables, for the partitions
SHARED=${SHARED:-../shared}
OFFICIAL=(apache/kafka:4.4.0 postgres:18 python:3.13-slim-trixie)

say() { printf 'containers [%4ds] %s\n' "$SECONDS" "$*"; }
fail() { say "$*" >&2; exit 1; }

images_here() { docker image inspect "${OFFICIAL[@]}" >/dev/null 2>&1; }

pull_images() { # quietly, and only what is missing; a closed registry is no error yet
  local image
  for image in "${OFFICIAL[@]}"; do
    docker image inspect "$image" >/dev/null 2>&1 || timeout 300 docker pull -q "$image" >/dev/null 2>&1 || return 1
  done
}

have_engine() { docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1; }

get_ready() { # an engine, compose and the official images, or local stand-ins for what is missing
  have_engine && { images_here || pull_images; } && return
  local standins=$SHARED/docker/images.sh
  [ -f "$standins" ] || fail "needs Docker with compose and the images ${OFFICIAL[*]}; there is no $standins to make stand-ins with either (SHARED=DIR)"
  say "making stand-ins with $standins"
  bash "$standins" engine || fail "no Docker engine can be started here"
  bash "$standins" all compose || fail "the stand-in images cannot be made here"
}

get_ready
say "engine and base images are there"

work=$(mktemp -d)
chmod 755 "$work"
free_ports() { .venv/bin/python - "$@" <<'PY'
import socket, sys
held = [socket.create_server(("127.0.0.1", 0)) for _ in sys.argv[1:]]
for name, server in zip(sys.argv[1:], held, strict=True):
    print(f"{name}={server.getsockname()[1]}")
PY
}
APIS=(BOOKING RECORDS REMINDERS_API NOTIFIER)
PROCESSES=("${APIS[@]}" REMINDERS_WORKER REMINDERS_PROJECTOR)
ports=$(free_ports KAFKA_PORT POSTGRES_PORT CARRIER_PORT MLLP_PORT MLLP_OPERATIONS_PORT "${APIS[@]/%/_PORT}" "${PROCESSES[@]/%/_OPERATIONS_PORT}")
set -a
eval "$ports"
. deploy/demo.env
COMPOSE_PROJECT_NAME=attend-test-$$ COMPOSE_FILE=docker-compose.yml:tests/containers/stepped.yml
ATTEND_TAG=test
ATTEND_CLOCK_FOLDER=$work/clock
ATTEND_KEY=$(head -c 24 /dev/urandom | base64 | tr '+/' '-_')
ATTEND_SECRETS=$work/secrets
bash deploy/secrets.sh "$ATTEND_SECRETS"
ATTEND_OPERATOR_KEY=$(cat "$ATTEND_SECRETS/OPERATOR_KEY")
set +a
mkdir -p "$ATTEND_CLOCK_FOLDER"
.venv/bin/python - "$ATTEND_CLOCK_FOLDER/clock.json" <<'PY'
import sys
from datetime import UTC, datetime
from pathlib import Path
from chassis.process import clock
clock.step(Path(sys.argv[1]), datetime(2027, 3, 1, 9, tzinfo=UTC))
PY

down() {
  local status=$?
  if [ $status != 0 ]; then docker compose ps -a || true; docker compose logs --tail 25 || true; fi
  [ -n "${KEEP:-}" ] || { docker compose down -v -t 5 >/dev/null 2>&1 || true; rm -rf "$work"; }
  exit $status
}
trap down EXIT

build() { # classic builder: it asks no registry for an image that is here
  local name
  for name in booking records reminders notifier; do DOCKER_BUILDKIT=0 docker build -q --build-arg "SERVICE=$name" -t "attend/$name:$ATTEND_TAG" . >/dev/null 2>"$work/build.log" || { tail -20 "$work/build.log"; return 1; }; done
  DOCKER_BUILDKIT=0 docker build -q --build-arg SERVICE=stack --build-arg FOLDER=stack -t "attend/stack:$ATTEND_TAG" . >/dev/null 2>"$work/build.log" || { tail -20 "$work/build.log"; return 1; }
}
build
say "images built: $(docker image ls --format '{{.Repository}} {{.Size}}' --filter "reference=attend/*:$ATTEND_TAG" | sort | paste -sd, -)"
docker compose up -d --wait --wait-timeout 240 --no-build >"$work/up.log" 2>&1 || { cat "$work/up.log"; fail "not all became healthy"; }
say "up and healthy"

export ATTEND_CLOCK_FILE=$ATTEND_CLOCK_FOLDER/clock.json
at() { echo "http://127.0.0.1:$1"; }
export "ATTEND_SINKS_URL=$(at "$CARRIER_PORT")"
for name in "${APIS[@]}"; do port=${name}_PORT; export "ATTEND_${name}_URL=$(at "${!port}")"; done
for name in "${PROCESSES[@]}"; do port=${name}_OPERATIONS_PORT; export "ATTEND_${name}_OPERATIONS_URL=$(at "${!port}")"; done
export "ATTEND_BOOKING_MLLP_OPERATIONS_URL=$(at "$MLLP_OPERATIONS_PORT")"

.venv/bin/pytest -q tests/end_to_end tests/containers "$@"
say "end-to-end tests, isolation and faults passed"
