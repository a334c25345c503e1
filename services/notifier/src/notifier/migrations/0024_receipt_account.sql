-- Whose secret signed a report: it speaks of that account's messages alone. Null: of a look-up, a bounce, or before.
ALTER TABLE receipt ADD COLUMN account text;
