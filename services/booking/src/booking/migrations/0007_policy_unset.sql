-- A service type gives its own reminder policy up (D13): from then on it has the clinic's.

ALTER TABLE reminder_policy ADD COLUMN unset boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN reminder_policy.unset IS 'The service type gave its own rules up; rules are then the clinic''s, as they stood for it.';
