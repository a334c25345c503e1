ALTER TABLE thing ADD COLUMN more text;
