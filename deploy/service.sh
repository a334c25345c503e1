#!/bin/sh
# Entry point of a container: `python -m @SERVICE@`. What lies in /run/secrets, where compose mounts files, is given to this
# process as variables of the files' names: `docker inspect` does not show them.
for secret in /run/secrets/*; do
  [ -f "$secret" ] || continue
  value=$(cat "$secret") || { echo "$secret: user $(id -u) must be able to read it" >&2; exit 78; }
  export "${secret##*/}=$value"
done
exec /opt/venv/bin/python -m @SERVICE@ "$@"
