-- When an event was taken: its ingress key is forgotten after BOOKING_KEEP_INGRESS_DAYS. Those taken before this
-- migration count as taken now. A range index: rows come in the order of time, and a day's are removed together.
ALTER TABLE ingress ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT now(); -- machine time
CREATE INDEX ingress_recorded ON ingress USING brin (recorded_at);
