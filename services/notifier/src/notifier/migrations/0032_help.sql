-- An answer may ask who we are.
ALTER TABLE reply DROP CONSTRAINT reply_meaning_check;
ALTER TABLE reply ADD CONSTRAINT reply_meaning_check
    CHECK (meaning IN ('stop', 'start', 'help', 'confirm', 'cancel', 'other')) NOT VALID;
