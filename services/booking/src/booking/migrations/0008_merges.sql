-- Two files that turned out to be one person's (D44): the one that is kept, and the one that is linked to it for ever.
ALTER TABLE patient ADD COLUMN merged_into uuid; -- null: nobody's
CREATE INDEX patient_alias_id ON patient_alias (patient_id);
CREATE INDEX appointment_patient_ahead ON appointment (patient_id, starts_at);

-- Each merge, with the identity that was merged, so that the same again is recognised: its alias has moved.
CREATE TABLE patient_merge (
    patient_id  uuid PRIMARY KEY,
    merged_into uuid NOT NULL,
    source      text NOT NULL,
    source_id   text NOT NULL,
    merged_at   timestamptz NOT NULL, -- domain time
    merged_by   text NOT NULL,        -- the client
    reason      text
);
CREATE INDEX patient_merge_identity ON patient_merge (source, source_id);
