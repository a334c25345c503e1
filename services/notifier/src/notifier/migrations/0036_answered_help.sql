-- What an answer was answered at once, in the carrier's own reply: who we are, to HELP.
ALTER TABLE reply ADD COLUMN said_back text;
