-- A message that did not arrive is queued for its next channel in the same step. That it was accepted and lost is an
-- outcome too, which is published as an event: it stands in the feed as it was told, before the next one.
CREATE FUNCTION keep_outcome_lost() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO notifier.outcome (notification_id, version, kind, recipient, appointment_id, channel, state, reason,
                                  delivery_state, at)
    VALUES (new.notification_id, new.version, new.kind, new.recipient, new.appointment_id, new.lane, 'accepted', NULL,
            new.delivery_state, new.changed_at);
    RETURN NULL;
END $$;
CREATE TRIGGER outcome_lost AFTER UPDATE ON notification FOR EACH ROW
    WHEN (new.version > old.version AND new.state = 'queued' AND new.delivery_state = 'undelivered'
          AND new.appointment_id IS NOT NULL)
    EXECUTE FUNCTION keep_outcome_lost();
