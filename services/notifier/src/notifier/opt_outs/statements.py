"""The statements of opt-outs."""

OF_ADDRESS = "(address_key = ANY($1::bytea[]) OR address_sha256 = $2::bytea)"
"""Rows of an address: under any of its keys, or plain by an older version."""

OVERLAP = "EXISTS (SELECT FROM address_overlap WHERE until > clock_timestamp())"
"""Instances that know plain hashes alone may run: what they must find is written under both."""

OPT_OUT = f"""
WITH stopped AS (
    INSERT INTO opt_out (channel, address_key, address_sha256, category, since, caused_by)
    SELECT asked.channel, ($1::bytea[])[1], CASE WHEN {OVERLAP} THEN $2::bytea END, wanted.category, $5, $6
    FROM unnest($3::text[]) AS asked (channel) CROSS JOIN unnest($4::text[]) AS wanted (category)
    WHERE NOT EXISTS (SELECT FROM opt_out AS held
                      WHERE held.channel = asked.channel AND held.category = wanted.category AND {OF_ADDRESS})
    ORDER BY 1, 4 ON CONFLICT DO NOTHING
    RETURNING channel, category
)
INSERT INTO opt_out_history (channel, address_key, category, stopped, at, caused_by)
SELECT channel, ($1::bytea[])[1], category, true, $5, $6 FROM stopped"""  # noqa: S608  # constants of ours

TAKE_OVER = f"""
WITH held AS (
    UPDATE opt_out SET since = $5, caused_by = CASE WHEN $6::text LIKE 'client/%' THEN 'client' ELSE $6 END
    WHERE {OF_ADDRESS} AND channel = ANY($3::text[]) AND category = ANY($4::text[]) AND caused_by LIKE 'client/%'
      AND ($6 NOT LIKE 'client/%' OR split_part(caused_by, '/', 2) <> split_part($6, '/', 2))
    RETURNING channel, category
)
INSERT INTO opt_out_history (channel, address_key, category, stopped, at, caused_by)
SELECT DISTINCT channel, ($1::bytea[])[1], category, true, $5::timestamptz, $6 FROM held"""  # noqa: S608  # ours
"""What a client stopped and somebody else stops too is not that client's to lift any more, nor another client's."""

LIFT_OPT_OUT = f"""
WITH lifted AS (
    DELETE FROM opt_out WHERE {OF_ADDRESS} AND channel = ANY($3::text[]) AND category = ANY($4::text[])
      AND ($7::text IS NULL OR caused_by = $7 OR starts_with(caused_by, $7 || '/'))
    RETURNING channel, category
), noted AS (
    INSERT INTO opt_out_history (channel, address_key, category, stopped, at, caused_by)
    SELECT DISTINCT channel, key, category, false, $5::timestamptz, $6
    FROM lifted CROSS JOIN unnest($1::bytea[]) AS each (key)
)
SELECT count(*) FROM lifted"""  # noqa: S608  # ours
"""The history has it under every key: an attempt knows one alone, of the secret and the form of the line it had."""

OPT_OUTS = f"""
SELECT DISTINCT ON (channel, category) channel, category, since, caused_by
FROM opt_out WHERE {OF_ADDRESS} ORDER BY channel, category, since"""  # noqa: S608  # a constant of ours

LIFTED = f"""
SELECT channel, category, at, caused_by FROM (
    SELECT DISTINCT ON (channel, category) channel, category, stopped, at, caused_by
    FROM opt_out_history WHERE {OF_ADDRESS} ORDER BY channel, category, at DESC, stopped
) AS last WHERE NOT stopped ORDER BY channel, category"""  # noqa: S608  # a constant of ours

STOP_REFUSED = """
WITH refusing AS (
    SELECT DISTINCT made.address_key FROM attempt AS made
    WHERE made.attempt_id = ANY($1::uuid[]) AND made.address_key IS NOT NULL AND NOT EXISTS (
        SELECT FROM opt_out_history AS heard
        WHERE heard.address_key = made.address_key AND NOT heard.stopped
          AND heard.at >= coalesce(made.called_at, made.gated_at)
    ) AND NOT EXISTS (
        SELECT FROM reply AS heard
        WHERE heard.address_key = made.address_key AND heard.verdict = 'opted-in'
          AND heard.received_at >= coalesce(made.called_at, made.gated_at)
    )
), stopped AS (
    INSERT INTO opt_out (channel, address_key, category, since, caused_by)
    SELECT channel, address_key, category, $4, $5
    FROM refusing CROSS JOIN unnest($2::text[]) AS asked (channel) CROSS JOIN unnest($3::text[]) AS wanted (category)
    ORDER BY address_key, channel, category
    ON CONFLICT (address_key, channel, category) DO UPDATE SET since = excluded.since, caused_by = excluded.caused_by
    WHERE opt_out.caused_by LIKE 'client/%'
    RETURNING channel, address_key, category
)
INSERT INTO opt_out_history (channel, address_key, category, stopped, at, caused_by)
SELECT channel, address_key, category, true, $4, $5 FROM stopped"""
"""Of whom attempts went to and who has not begun again since; an answer that lifted nothing counts too."""

STOPPED = """
SELECT channel, category, address_key, address_sha256 FROM opt_out
WHERE address_key = ANY($1::bytea[]) OR address_sha256 = ANY($2::bytea[])"""
