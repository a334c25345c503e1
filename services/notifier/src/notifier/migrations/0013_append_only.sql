-- What was done, by whom and when, is never changed: neither by this service's role (the migrator grants it no more than
-- INSERT and SELECT on tables with this trigger) nor by accident.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is append only', TG_TABLE_NAME;
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON sending_audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON preference_history
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON work_list_action
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Of an opt-out's history the hash of the address may be replaced by another hash of the same address.
CREATE TRIGGER append_only_but_address
    BEFORE UPDATE OF channel, category, stopped, at, caused_by OR DELETE OR TRUNCATE ON opt_out_history
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
