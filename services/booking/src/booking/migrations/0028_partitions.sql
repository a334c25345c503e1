-- Each table of before becomes the first partition of a table of its name. What takes its name away holds the others up
-- for as long as the transactions that are under way. ingress comes first, as in them.
LOCK TABLE ingress, appointment_history IN ACCESS EXCLUSIVE MODE;

ALTER TABLE ingress RENAME TO ingress_before;
ALTER TABLE ingress_before DROP CONSTRAINT ingress_pkey,
    ADD PRIMARY KEY USING INDEX ingress_before_pkey;
CREATE TABLE ingress (LIKE ingress_before INCLUDING DEFAULTS, PRIMARY KEY (client, key, period)) PARTITION BY RANGE (period);
ALTER TABLE ingress ALTER period SET DEFAULT quarter_of(now());
COMMENT ON TABLE ingress IS 'Each event taken, with its answer: the same again gets the same (D41). A partition a quarter.';
COMMENT ON COLUMN ingress.period IS 'The quarter in which it was taken, by machine time: what the table is partitioned by.';

ALTER TABLE appointment_history RENAME TO appointment_history_before;
ALTER TABLE appointment_history_before RENAME CONSTRAINT appointment_history_pkey TO appointment_history_before_pkey;
CREATE TABLE appointment_history (LIKE appointment_history_before, PRIMARY KEY (appointment_id, version))
    PARTITION BY RANGE (appointment_id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON appointment_history
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
COMMENT ON TABLE appointment_history IS
    'Every version as it was published, byte for byte. Append only. A partition a quarter: that in which the appointment was first heard of.';

DO $$
DECLARE
    kept_until date := quarter_of(now()) + interval '3 months';
    heard_until date := quarter_of(now()) + interval '6 months';
BEGIN
    EXECUTE format('ALTER TABLE ingress ATTACH PARTITION ingress_before FOR VALUES FROM (MINVALUE) TO (%L)', kept_until);
    EXECUTE format('ALTER TABLE appointment_history ATTACH PARTITION appointment_history_before '
                   'FOR VALUES FROM (MINVALUE) TO (%L)', first_id_of(heard_until));
    EXECUTE format('CREATE TABLE %I PARTITION OF ingress FOR VALUES FROM (%L) TO (MAXVALUE)',
                   to_char(kept_until, '"ingress_"YYYY_MM'), kept_until);
    EXECUTE format('CREATE TABLE %I PARTITION OF appointment_history FOR VALUES FROM (%L) TO (MAXVALUE)',
                   to_char(heard_until, '"appointment_history_"YYYY_MM'), first_id_of(heard_until));
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
                   'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()',
                   to_char(heard_until, '"appointment_history_"YYYY_MM'));
END $$;
ALTER TABLE ingress_before DROP CONSTRAINT taken_before;
ALTER TABLE appointment_history_before DROP CONSTRAINT heard_of_before;

-- The release before deletes old keys by their place in the table, which is another row's too now. It is told that there
-- are none; the release after this one deletes nothing, and has no right to.
CREATE FUNCTION keep_key() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER keep_key BEFORE DELETE ON ingress
    FOR EACH ROW WHEN (current_user = 'attend_booking') EXECUTE FUNCTION keep_key();
