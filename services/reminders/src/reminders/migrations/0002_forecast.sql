-- Reminders ahead by clinic and minute (B9): kept by the projector in the transaction of the records, so that
-- nobody has to count. A reminder is in it while it is SCHEDULED and was not handed over.
CREATE TABLE forecast (
    clinic_id text NOT NULL,
    minute    timestamptz NOT NULL,
    due       bigint NOT NULL,
    PRIMARY KEY (clinic_id, minute)
) WITH (fillfactor = 70);
COMMENT ON TABLE forecast IS 'Locked last in a transaction, rows in the order of the key: no two writers wait for each other.';

INSERT INTO forecast (clinic_id, minute, due)
SELECT clinic_id, date_trunc('minute', scheduled_for), count(*) FROM reminder
WHERE status = 'SCHEDULED' AND handed_over_at IS NULL AND clinic_id IS NOT NULL AND scheduled_for IS NOT NULL
GROUP BY 1, 2;

-- The read API's lists, in its order. What failed is looked for by itself (the staff's work list, D17).
CREATE INDEX reminder_clinic ON reminder (clinic_id, scheduled_for, reminder_id);
CREATE INDEX reminder_failed ON reminder (clinic_id, scheduled_for, reminder_id) WHERE status = 'FAILED';
