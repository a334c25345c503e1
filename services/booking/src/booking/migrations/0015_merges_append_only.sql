-- A merge is for ever, and so is who made it.
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON patient_merge
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
