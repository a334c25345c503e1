-- Addresses are kept under keys that nobody can make without a secret of this installation (decision 0023). Their plain
-- SHA-256, which older versions keep and look for, stays beside the key while instances of both may run; then it goes.

ALTER TABLE opt_out DROP CONSTRAINT opt_out_pkey;
ALTER TABLE opt_out
    ADD COLUMN address_key bytea,
    ALTER COLUMN address_sha256 DROP NOT NULL,
    ADD CHECK (address_key IS NOT NULL OR address_sha256 IS NOT NULL);
CREATE UNIQUE INDEX opt_out_by_key ON opt_out (address_key, channel, category);
CREATE UNIQUE INDEX opt_out_by_plain ON opt_out (address_sha256, channel, category);

ALTER TABLE opt_out_history ADD COLUMN address_key bytea, ALTER COLUMN address_sha256 DROP NOT NULL;
CREATE INDEX opt_out_history_key ON opt_out_history (address_key, at);

ALTER TABLE reply ADD COLUMN address_key bytea, ALTER COLUMN address_sha256 DROP NOT NULL;
CREATE INDEX reply_key ON reply (address_key, received_at);

ALTER TABLE attempt ADD COLUMN address_key bytea;
CREATE INDEX attempt_key ON attempt (address_key, channel, gated_at) WHERE address_key IS NOT NULL;

-- Every secret that keys were ever made with, by a mark of it: an instance without one of them would not find opt-outs.
CREATE TABLE address_pepper (
    mark          bytea PRIMARY KEY,
    first_used_at timestamptz NOT NULL DEFAULT clock_timestamp() -- machine time
);

-- Until when instances that know plain hashes alone may run beside this version, machine time; none: there were none.
CREATE TABLE address_overlap (until timestamptz NOT NULL);
INSERT INTO address_overlap
SELECT now() + interval '1 day' FROM schema_migration WHERE name = 'notifier/0001_notifier.sql' AND applied_at < now();
