-- notification_waits holds all that notification_waits_for did, which no release read.
DROP INDEX IF EXISTS notification_waits_for;
