#!/usr/bin/env bash
# Makes a folder of fresh passwords and keys, and attend.env, which names it:   bash deploy/secrets.sh FOLDER
#   docker compose --env-file FOLDER/attend.env up --wait
# With a PostgreSQL and a Kafka of your own, their addresses go into the files:
#   DATABASE_ADMIN_URL=postgresql://ADMIN:PASSWORD@HOST:5432/DATABASE KAFKA_BOOTSTRAP_SERVERS=HOST:9092 bash deploy/secrets.sh FOLDER
#   docker run --env-file FOLDER/attend.env …
# What is there already stays.
set -euo pipefail
folder=${1:?give the folder to make}
mkdir -p "$folder"
chmod 700 "$folder" # nobody else on this machine may enter, also where it was there; the files are mounted one by one, for the containers' own users
folder=$(cd "$folder" && pwd)
made=() stayed=()
random() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
keep() { # keep NAME VALUE
  if [ -e "$folder/$1" ]; then stayed+=("$1"); return; fi
  printf '%s\n' "$2" >"$folder/$1"
  chmod 644 "$folder/$1"
  made+=("$1")
}

if [ -n "${DATABASE_ADMIN_URL:-}" ]; then
  case $DATABASE_ADMIN_URL in postgres*://*@*/*) ;; *) echo "DATABASE_ADMIN_URL: postgresql://ADMIN:PASSWORD@HOST:5432/DATABASE is needed" >&2; exit 78 ;; esac
else
  keep POSTGRES_PASSWORD "$(random)"
fi
keep DATABASE_ADMIN_URL "${DATABASE_ADMIN_URL:-postgresql://postgres:$(cat "$folder/POSTGRES_PASSWORD" 2>/dev/null)@postgres:5432/attend}"
admin=$(cat "$folder/DATABASE_ADMIN_URL")
for name in booking records reminders notifier; do
  keep "${name^^}_DATABASE_URL" "postgresql://attend_$name:$(random)@${admin##*@}"
done
keep NOTIFIER_ADDRESS_PEPPER "$(random)"
keep ATTEND_KEY "${ATTEND_KEY:-$(random)}"
keep OPERATOR_KEY "$(random)"
if cmp -s "$folder/OPERATOR_KEY" "$folder/ATTEND_KEY"; then
  echo "$folder/OPERATOR_KEY is the client's key: whoever may book would read everything. Remove it and run this again." >&2
  exit 78
fi
printf '%s\n' "$(tr -d '\n' <"$folder/OPERATOR_KEY" | sha256sum | cut -d' ' -f1)" >"$folder/ATTEND_OPERATOR_KEY_SHA256"
chmod 644 "$folder/ATTEND_OPERATOR_KEY_SHA256"

# Paths and addresses, no secret: those are files. Yours to add to; what stands in it already stays.
env=$folder/attend.env
if [ -e "$env" ]; then
  stayed+=(attend.env)
else
  (umask 077; {
    printf 'ATTEND_SECRETS=%s\n' "$folder"
    [ -z "${KAFKA_BOOTSTRAP_SERVERS:-}" ] || printf 'KAFKA_BOOTSTRAP_SERVERS=%s\n' "$KAFKA_BOOTSTRAP_SERVERS"
  } >"$env")
  made+=(attend.env)
fi
echo "$folder: made ${made[*]:-nothing}${stayed[*]:+; was there and stays: ${stayed[*]}}"
