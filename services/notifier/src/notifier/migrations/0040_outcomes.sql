-- What became of each message, as a feed (decision 0048): a narrow row for each outcome, in an order in which nothing is
-- committed behind a reader's back. It is written by triggers, so that an instance of the release before, which knows
-- nothing of it, writes it too. What became of messages before this step is not in it.
CREATE TABLE outcome (
    xid             xid8 NOT NULL DEFAULT pg_current_xact_id(), -- of the transaction that wrote it
    seq             bigint GENERATED ALWAYS AS IDENTITY,
    notification_id uuid NOT NULL,
    version         integer NOT NULL,
    kind            text NOT NULL,
    recipient       text NOT NULL,
    appointment_id  uuid NOT NULL,
    channel         text,
    state           text NOT NULL,
    reason          text,
    delivery_state  text NOT NULL,
    at              timestamptz NOT NULL, -- domain time
    PRIMARY KEY (xid, seq)
);
COMMENT ON TABLE outcome IS 'Read below pg_snapshot_xmin only: of a transaction above it another may come before it.';

-- The last that was removed because it was old: who read up to less has missed something, and is told so.
CREATE TABLE outcome_horizon (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    xid xid8 NOT NULL,
    seq bigint NOT NULL
);
INSERT INTO outcome_horizon (xid, seq) VALUES ('0', 0);

-- A provider's list of the day is of no appointment, and no event.
CREATE FUNCTION keep_outcomes_born() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO notifier.outcome (notification_id, version, kind, recipient, appointment_id, channel, state, reason,
                                  delivery_state, at)
    SELECT notification_id, version, kind, recipient, appointment_id, lane, state, reason, delivery_state, changed_at
    FROM born WHERE version > 0 AND state NOT IN ('queued', 'sending') AND appointment_id IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER outcomes_born AFTER INSERT ON notification REFERENCING NEW TABLE AS born
    FOR EACH STATEMENT EXECUTE FUNCTION keep_outcomes_born();

-- By row, for a join of two transition tables is planned for the sizes that it had the first time.
CREATE FUNCTION keep_outcome_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO notifier.outcome (notification_id, version, kind, recipient, appointment_id, channel, state, reason,
                                  delivery_state, at)
    VALUES (new.notification_id, new.version, new.kind, new.recipient, new.appointment_id, new.lane, new.state,
            new.reason, new.delivery_state, new.changed_at);
    RETURN NULL;
END $$;
CREATE TRIGGER outcome_changed AFTER UPDATE ON notification FOR EACH ROW
    WHEN (new.version > old.version AND new.state NOT IN ('queued', 'sending') AND new.appointment_id IS NOT NULL)
    EXECUTE FUNCTION keep_outcome_changed();
