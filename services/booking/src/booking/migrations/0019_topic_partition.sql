-- The partition of the topic `appointments` in which an appointment's events are: murmur2 of its key, as every Kafka
-- client in Java decides (chassis.partitioner), of 12 (schemas.topics). Whoever keeps something for a share of the
-- partitions reads the appointments of that share alone.
CREATE FUNCTION topic_partition(id uuid) RETURNS integer LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    key  bytea := convert_to(id::text, 'UTF8'); -- 36 bytes: nine words
    hash bigint := 2538058380 # 36;             -- the seed 0x9747b28c, and the length
    word bigint;
BEGIN
    FOR place IN 0..32 BY 4 LOOP
        word := get_byte(key, place) | (get_byte(key, place + 1) << 8)
                | (get_byte(key, place + 2) << 16) | (get_byte(key, place + 3) << 24);
        word := (word * 1540483477) & 4294967295;
        hash := ((hash * 1540483477) & 4294967295) # (((word # (word >> 24)) * 1540483477) & 4294967295);
    END LOOP;
    hash := ((hash # (hash >> 13)) * 1540483477) & 4294967295;
    RETURN ((hash # (hash >> 15)) & 2147483647) % 12;
END $$;
