-- What the timeline, the work list and the preferences' history are read from (B1, B12, B13).

-- The ledger's calls in domain time, and what the gate saw of the patient's wishes.
ALTER TABLE attempt
    ADD COLUMN called_at          timestamptz, -- domain time of the claim
    ADD COLUMN settled_at         timestamptz, -- domain time at which its answer was written down
    ADD COLUMN preference_version integer;     -- of the preferences that the gate saw; null: nothing had been said

-- Every version of what patients said about channels. Append only; the newest one is in `preference` too.
CREATE TABLE preference_history (
    patient_id uuid NOT NULL,
    version    integer NOT NULL CHECK (version >= 1),
    whatsapp   boolean NOT NULL,
    sms        boolean NOT NULL,
    email      boolean NOT NULL,
    changed_at timestamptz NOT NULL, -- domain time
    changed_by text NOT NULL,
    PRIMARY KEY (patient_id, version)
);
INSERT INTO preference_history
SELECT patient_id, version, whatsapp, sms, email, changed_at, 'before the history began' FROM preference;

-- What a person did with a message on the work list. The same act on the same attempt again finds the first.
CREATE TABLE work_list_action (
    action_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    notification_id uuid NOT NULL,
    attempt_id      uuid,                 -- the attempt that it was about; null: it was never tried
    action          text NOT NULL CHECK (action IN ('resend', 'drop', 'settle')),
    arrived         boolean,              -- of settle: what the person found out
    resent_as       uuid,                 -- of resend: the new notification
    acted_by        text NOT NULL,
    acted_at        timestamptz NOT NULL, -- domain time
    CHECK ((action = 'settle') = (arrived IS NOT NULL)),
    CHECK ((action = 'resend') = (resent_as IS NOT NULL)),
    UNIQUE NULLS NOT DISTINCT (notification_id, action, attempt_id)
);

CREATE INDEX notification_no_contact ON notification (changed_at)
    WHERE state = 'skipped' AND reason = 'NO_CONTACT';
CREATE INDEX appointment_starts ON appointment (starts_at);
