-- Reads both tables, while others write: a step of its own, so that the next one has nothing to read.
ALTER TABLE ingress VALIDATE CONSTRAINT taken_before;
ALTER TABLE appointment_history VALIDATE CONSTRAINT heard_of_before;
