-- What is over for long is forgotten: the records of a visit, their history, and the row under whose lock they changed.
-- Rows that are there already count as added now. Never changed, so updates of a row touch no index.
ALTER TABLE schedule ADD COLUMN added_at timestamptz NOT NULL DEFAULT now(); -- machine time
CREATE INDEX schedule_added ON schedule USING brin (added_at);

-- History is still never changed, and goes only with the reminders it tells of, by `forget_over`: the service's role has
-- no right to delete, and whoever has is refused outside of that.
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' OR current_setting('attend.forgetting', true) IS DISTINCT FROM 'on' THEN
        RAISE EXCEPTION 'reminder_history is append-only' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;

-- Forgets up to `most` appointments whose every reminder is final and was to be closed before `before`; returns them.
-- Those that the projector is at work on are passed over.
CREATE FUNCTION forget_over(before timestamptz, most integer) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    locked uuid[];
    gone   uuid[];
BEGIN
    SELECT array_agg(l.appointment_id) INTO locked FROM (
        SELECT s.appointment_id FROM schedule s WHERE s.appointment_id IN (
            SELECT DISTINCT r.appointment_id FROM reminder r
            WHERE r.status <> 'SCHEDULED' AND coalesce(r.closes_at, r.changed_at) < before AND NOT EXISTS (
                SELECT FROM reminder o WHERE o.appointment_id = r.appointment_id
                AND (o.status = 'SCHEDULED' OR coalesce(o.closes_at, o.changed_at) >= before))
            LIMIT most)
        ORDER BY s.appointment_id FOR UPDATE SKIP LOCKED) AS l;
    -- Asked again, now that nobody changes them.
    SELECT array_agg(id) INTO gone FROM unnest(locked) AS id WHERE NOT EXISTS (
        SELECT FROM reminder o WHERE o.appointment_id = id
        AND (o.status = 'SCHEDULED' OR coalesce(o.closes_at, o.changed_at) >= before));
    PERFORM set_config('attend.forgetting', 'on', true);
    DELETE FROM reminder_history h USING reminder r WHERE h.reminder_id = r.reminder_id AND r.appointment_id = ANY (gone);
    PERFORM set_config('attend.forgetting', '', true);
    DELETE FROM reminder r WHERE r.appointment_id = ANY (gone);
    DELETE FROM schedule s WHERE s.appointment_id = ANY (gone);
    RETURN QUERY SELECT unnest(gone);
END $$;
REVOKE EXECUTE ON FUNCTION forget_over FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_over TO attend_reminders;
