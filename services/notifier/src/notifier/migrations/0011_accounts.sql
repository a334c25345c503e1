-- Rate and pause belong to an account at a carrier, no longer to a channel. An instance of the release before goes on
-- with lane_rate, which a later release drops; while both run, each keeps its own rate.
CREATE TABLE account_rate (
    channel      text NOT NULL CHECK (channel IN ('email', 'sms', 'whatsapp')),
    account      text NOT NULL,                                  -- what the carrier knows us by; no secret
    tokens       double precision NOT NULL DEFAULT 0,
    refilled_at  timestamptz NOT NULL DEFAULT clock_timestamp(), -- machine time
    paused_until timestamptz,                                    -- machine time: a carrier's Retry-After
    PRIMARY KEY (channel, account)
);

-- Whose account made a call: only that account's callbacks may speak of it. Null: of the release before.
ALTER TABLE attempt ADD COLUMN account text;
