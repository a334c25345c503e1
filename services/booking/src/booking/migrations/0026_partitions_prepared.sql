-- ingress and appointment_history are partitioned by time (decision 0030): prepared here, with the index of the next
-- step, so that the step after it changes names only. Nothing is rewritten, and nobody waits while a table is read.

CREATE FUNCTION quarter_of(at timestamptz) RETURNS date LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT date_trunc('quarter', at AT TIME ZONE 'UTC')::date
$$;
COMMENT ON FUNCTION quarter_of IS 'The first day, UTC, of the quarter in which an instant is.';

CREATE FUNCTION first_id_of(day date) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM day) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid
$$;
COMMENT ON FUNCTION first_id_of IS 'The lowest UUIDv7 of a day, UTC: ids of appointments are in the order of time.';

-- What was taken before this step is of no quarter that is told apart: -infinity.
ALTER TABLE ingress ADD COLUMN period date NOT NULL DEFAULT '-infinity';
ALTER TABLE ingress ADD CONSTRAINT taken_before CHECK (period = '-infinity') NOT VALID;

-- No id is refused meanwhile: the bound is a quarter and more ahead.
DO $$ BEGIN
    EXECUTE format('ALTER TABLE appointment_history ADD CONSTRAINT heard_of_before CHECK (appointment_id < %L) NOT VALID',
                   first_id_of((quarter_of(now()) + interval '6 months')::date));
END $$;
