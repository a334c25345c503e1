-- A claim that was given back counts as no attempt any more, so that an instance of the release before, which numbers its
-- claims by that count, may give a number twice. The index attempt_of_message finds a message's attempts instead.
ALTER TABLE attempt DROP CONSTRAINT attempt_notification_id_ordinal_key;
