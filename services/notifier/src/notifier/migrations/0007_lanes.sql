-- Backoff counts the attempts on the present channel of the chain, not those on the ones before (D33).
ALTER TABLE notification ADD COLUMN step_attempts integer NOT NULL DEFAULT 0;
