-- Partitions to come are made, and keys that are old enough dropped, by these functions alone: the service's own role
-- owns no table and has no right to a partition, it reaches them through their table.

CREATE FUNCTION partition_bounds(parent text) RETURNS TABLE (name text, begins date, ends date)
LANGUAGE sql STABLE SET search_path = booking, pg_temp SET datestyle = 'ISO, YMD' AS $$
    SELECT p.name, p.bounds[1], p.bounds[2]
    FROM (
        SELECT c.relname::text AS name, ARRAY(
            SELECT CASE WHEN parent = 'ingress' THEN bound::date
                        ELSE (uuid_extract_timestamp(bound::uuid) AT TIME ZONE 'UTC')::date END
            FROM unnest(regexp_match(pg_get_expr(c.relpartbound, c.oid),
                                     $r$FROM \((?:MINVALUE|'([^']+)')\) TO \((?:MAXVALUE|'([^']+)')\)$r$)) AS bound
        ) AS bounds
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = parent::regclass
    ) AS p
$$;
COMMENT ON FUNCTION partition_bounds IS
    'The partitions of ingress or appointment_history, each from a day to before another, UTC. Null: the first, and the last, have no bound.';

CREATE FUNCTION extend_partitions(at timestamptz) RETURNS TABLE (partition text, why_not text)
LANGUAGE plpgsql SET search_path = booking, pg_temp SET lock_timeout = '250ms' AS $$
DECLARE
    read_mb constant bigint := 16; -- which ATTACH may read while everybody waits: 57 ms (decision 0030)
    parent text;
    last   record;
    upto   date;
    bounds text[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('booking partitions', 0));
    FOREACH parent IN ARRAY ARRAY['ingress', 'appointment_history'] LOOP
        LOOP
            SELECT b.name, b.begins INTO STRICT last FROM partition_bounds(parent) b WHERE b.ends IS NULL;
            EXIT WHEN last.begins >= quarter_of(at) + interval '6 months';
            -- As a rule it is still empty. If this was not run for long, it holds quarters, and becomes a long one.
            IF pg_relation_size(last.name::regclass) > read_mb * 1024 * 1024 AND NOT EXISTS (
                SELECT FROM pg_constraint c WHERE c.conrelid = last.name::regclass AND c.conname = 'ends' AND c.convalidated
            ) THEN
                partition := last.name;
                why_not := 'too many rows to read while others wait; the administrator adds a check (deploy/README.md)';
                RETURN NEXT;
                EXIT;
            END IF;
            upto := greatest(last.begins, quarter_of(at)) + interval '3 months';
            bounds := CASE parent WHEN 'ingress' THEN ARRAY[last.begins::text, upto::text]
                                  ELSE ARRAY[first_id_of(last.begins)::text, first_id_of(upto)::text] END;
            partition := to_char(upto, format('"%s_"YYYY_MM', parent));
            BEGIN
                EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', parent, last.name);
                EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                               parent, last.name, bounds[1], bounds[2]);
                EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (MAXVALUE)',
                               partition, parent, bounds[2]);
                EXECUTE format('ALTER TABLE %I DROP CONSTRAINT IF EXISTS ends', last.name);
            EXCEPTION WHEN check_violation THEN -- rows beyond it, of a clock that was far ahead: it stays the last one
                partition := last.name;
                why_not := 'rows beyond the next quarter';
                RETURN NEXT;
                EXIT;
            END;
            IF parent = 'appointment_history' THEN
                EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
                               'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', partition);
            END IF;
            why_not := NULL;
            RETURN NEXT;
        END LOOP;
    END LOOP;
END $$;
COMMENT ON FUNCTION extend_partitions IS
    'Gives both tables partitions until two quarters after this one. The last one has no end, so that no row is ever refused. If that holds much, it is closed only after a check named "ends" was validated, which spares reading it.';

CREATE FUNCTION partitions_ahead() RETURNS TABLE (partition text, why_not text)
LANGUAGE sql SECURITY DEFINER SET search_path = booking, pg_temp AS $$
    SELECT e.partition, e.why_not FROM extend_partitions(now()) e
$$;

CREATE TABLE partition_dropped (
    partition  text NOT NULL,
    ends       date NOT NULL,
    about_rows bigint NOT NULL, -- by the last statistics
    dropped_by text NOT NULL DEFAULT session_user,
    dropped_at timestamptz NOT NULL DEFAULT clock_timestamp(), -- machine time
    PRIMARY KEY (partition, dropped_at)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON partition_dropped
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
COMMENT ON TABLE partition_dropped IS 'Which keys were forgotten, a quarter of them at a time, and when. Append only.';

CREATE FUNCTION drop_ingress(until timestamptz, most integer) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = booking, pg_temp SET lock_timeout = '250ms' AS $$
DECLARE
    old record;
BEGIN
    FOR old IN
        SELECT b.name, b.ends, greatest(c.reltuples, 0)::bigint AS about_rows
        FROM partition_bounds('ingress') b JOIN pg_class c ON c.oid = b.name::regclass
        -- the inbound topics repeat what is up to 7 days old, whatever anybody asks for
        WHERE b.ends::timestamp AT TIME ZONE 'UTC' <= least(until, clock_timestamp() - interval '8 days')
        ORDER BY b.ends LIMIT most
    LOOP
        EXECUTE format('DROP TABLE %I', old.name);
        INSERT INTO partition_dropped (partition, ends, about_rows) VALUES (old.name, old.ends, old.about_rows);
        RETURN NEXT old.name;
    END LOOP;
END $$;
COMMENT ON FUNCTION drop_ingress IS 'Drops up to so many partitions of ingress that ended by then: the only way by which a key is forgotten.';

REVOKE ALL ON FUNCTION extend_partitions(timestamptz), partitions_ahead(), drop_ingress(timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION partitions_ahead(), drop_ingress(timestamptz, integer) TO attend_booking;

LOCK TABLE ingress, appointment_history IN ACCESS EXCLUSIVE MODE; -- at once, and not more and more of it
SELECT e.partition FROM extend_partitions(now()) e;
