#!/usr/bin/env bash
# Makes a folder of fresh passwords and keys for docker-compose.yml:   bash deploy/secrets.sh FOLDER
# Then say ATTEND_SECRETS=FOLDER. What is there already stays.
set -euo pipefail
folder=${1:?give the folder to make}
mkdir -p -m 700 "$folder" # nobody else on this machine may enter; the files are mounted one by one, for the containers' own users
random() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
keep() { [ -e "$folder/$1" ] || { printf '%s\n' "$2" >"$folder/$1"; chmod 644 "$folder/$1"; }; }

keep POSTGRES_PASSWORD "$(random)"
keep DATABASE_ADMIN_URL "postgresql://postgres:$(cat "$folder/POSTGRES_PASSWORD")@postgres:5432/attend"
for name in booking records reminders notifier; do
  keep "${name^^}_DATABASE_URL" "postgresql://attend_$name:$(random)@postgres:5432/attend"
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
