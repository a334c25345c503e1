"""SQL of check-ins."""

KEEP = """
INSERT INTO check_in (appointment_id, version, status, mode, checked, lacking, overridden, at_desk, client, key,
                      checked_by, reason, checked_at)
SELECT appointment_id, version, status, mode, checked::jsonb, lacking::jsonb, overridden, at_desk, client, key,
       checked_by, reason, $13::timestamptz
FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::boolean[],
            $9::text[], $10::text[], $11::text[], $12::text[])
     AS given (appointment_id, version, status, mode, checked, lacking, overridden, at_desk, client, key, checked_by,
               reason)
ORDER BY appointment_id, version
"""

KEEP_REFUSALS = """
INSERT INTO check_in_refusal (appointment_id, version, status, code, mode, checked, lacking, client, key, asked_by,
                              what_sha256, refused_at)
SELECT appointment_id, version, status, code, mode, checked::jsonb, lacking::jsonb, client, key, asked_by, what_sha256,
       $12::timestamptz
FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
            $10::text[], $11::bytea[])
     AS given (appointment_id, version, status, code, mode, checked, lacking, client, key, asked_by, what_sha256)
ORDER BY appointment_id, version
ON CONFLICT (appointment_id, version, what_sha256) DO NOTHING
"""

REFUSALS_OF_VISIT = """
SELECT version, status, code, mode, checked, lacking, client, asked_by, refused_at
FROM check_in_refusal WHERE appointment_id = $1 ORDER BY serial
"""

OF_VISIT = """
SELECT version, status, mode, checked, lacking, overridden, at_desk, client, checked_by, reason, checked_at
FROM check_in WHERE appointment_id = $1 ORDER BY serial
"""

OF_COMMAND = """
SELECT status, mode, checked, lacking, overridden FROM check_in
WHERE appointment_id = $1 ORDER BY (client = $2 AND key = $3) DESC, serial DESC LIMIT 1
"""
