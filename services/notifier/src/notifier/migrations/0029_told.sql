-- What a message told, or may have told, to whom and when (decision 0037): the last one of a visit and recipient is what
-- he was told. Kind and clinic are there already. All null: of the release before, whose rows are judged by what is there.
ALTER TABLE notification
    ADD COLUMN recipient_id   uuid,        -- the patient or provider; null: whoever is the visit's when it leaves
    ADD COLUMN said_starts_at timestamptz, -- the visit's start as the gate saw it when it was last called for
    ADD COLUMN said_at        timestamptz; -- domain time of that call
