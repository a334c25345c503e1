-- One row for each appointment ever planned or told of: the newest plan seen, and the lock under which
-- its reminder records change. Both topics take it first.
CREATE TABLE schedule (
    appointment_id uuid PRIMARY KEY,
    version        bigint NOT NULL DEFAULT 0,
    schedule_gen   bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 70);

-- The reminder records (R11). Null where only a part of the story has come yet.
CREATE TABLE reminder (
    reminder_id     uuid PRIMARY KEY,
    appointment_id  uuid NOT NULL,
    schedule_gen    bigint NOT NULL,
    version         bigint NOT NULL,
    status          text NOT NULL CHECK (status IN ('SCHEDULED', 'CANCELLED', 'FAILED', 'SENT')),
    reason          text,
    rule            text,
    patient_id      uuid,
    clinic_id       text,
    scheduled_for   timestamptz,
    not_after       timestamptz,
    closes_at       timestamptz,
    handed_over_at  timestamptz,
    sent_at         timestamptz,
    notification_id uuid,
    delivery_state  text CHECK (delivery_state IN ('unknown', 'delivered', 'undelivered', 'read')),
    changed_at      timestamptz NOT NULL,
    caused_by       text NOT NULL,
    CHECK ((status = 'SENT') = (sent_at IS NOT NULL))
) WITH (fillfactor = 70);
CREATE INDEX reminder_appointment ON reminder (appointment_id);
CREATE INDEX reminder_patient ON reminder (patient_id, scheduled_for);
CREATE INDEX reminder_closes ON reminder (closes_at) WHERE status = 'SCHEDULED';

-- Every status a reminder ever had, and what led to it (R17). Written by the triggers alone; never changed.
CREATE TABLE reminder_history (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reminder_id     uuid NOT NULL,
    status          text NOT NULL,
    reason          text,
    handed_over_at  timestamptz,
    notification_id uuid,
    delivery_state  text,
    at              timestamptz NOT NULL,
    caused_by       text NOT NULL,
    recorded_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX reminder_history_reminder ON reminder_history (reminder_id, id);
COMMENT ON COLUMN reminder_history.at IS 'Domain time of the event.';
COMMENT ON COLUMN reminder_history.recorded_at IS 'Machine time.';

CREATE FUNCTION keep_born() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO reminder_history (reminder_id, status, reason, handed_over_at, notification_id, delivery_state, at, caused_by)
    SELECT reminder_id, status, reason, handed_over_at, notification_id, delivery_state, changed_at, caused_by
    FROM born ORDER BY reminder_id;
    RETURN NULL;
END $$;

CREATE FUNCTION keep_changed() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO reminder_history (reminder_id, status, reason, handed_over_at, notification_id, delivery_state, at, caused_by)
    SELECT n.reminder_id, n.status, n.reason, n.handed_over_at, n.notification_id, n.delivery_state, n.changed_at, n.caused_by
    FROM after n JOIN before o USING (reminder_id)
    WHERE (n.status, n.reason, n.handed_over_at, n.notification_id, n.delivery_state)
          IS DISTINCT FROM (o.status, o.reason, o.handed_over_at, o.notification_id, o.delivery_state)
    ORDER BY n.reminder_id;
    RETURN NULL;
END $$;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'reminder_history is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER born AFTER INSERT ON reminder REFERENCING NEW TABLE AS born
    FOR EACH STATEMENT EXECUTE FUNCTION keep_born();
CREATE TRIGGER changed AFTER UPDATE ON reminder REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION keep_changed();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON reminder_history
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
