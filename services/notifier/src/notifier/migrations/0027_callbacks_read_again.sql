-- How an unreadable callback came in, so that its bytes can be read again: what it is, and whose secret signed it. Null: an
-- older version kept it without. And who had it read again, when.
ALTER TABLE unreadable_callback
    ADD COLUMN form        text,
    ADD COLUMN account     text,
    ADD COLUMN replayed_at timestamptz, -- domain time
    ADD COLUMN replayed_by text;
