#!/usr/bin/env bash
# Health check of a container: 0 when GET /health/ready on port $1 (that of operations, 8081) answers 200. A Python would cost 80 ms of CPU each time.
set -eu
exec 3<>"/dev/tcp/127.0.0.1/${1:-${ATTEND_OPERATIONS_PORT:-8081}}"
printf 'GET /health/ready HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
read -r _ status _ <&3
[ "$status" = 200 ]
