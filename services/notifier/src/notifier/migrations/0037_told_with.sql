-- A call may tell one person of several visits (decision 0050): each visit's message has an attempt of its own, and this
-- is the one by which the carrier knows the call. Null: it is the attempt itself, as of every call of earlier releases.
ALTER TABLE attempt ADD COLUMN with_attempt uuid;
