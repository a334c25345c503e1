"""Statements about changes of safety flags."""

KEEP_FLAG_CHANGES = """
INSERT INTO safety_change (kind, subject, flag, was, becomes, changed_by, caused_by, changed_at)
SELECT kind, subject, flag, was, becomes, client, event, $8
FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[], $5::boolean[], $6::text[], $7::text[])
     WITH ORDINALITY AS given (kind, subject, flag, was, becomes, client, event, n)
ORDER BY n
"""
