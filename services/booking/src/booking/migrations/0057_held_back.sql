-- Whether nothing is sent of a visit for now, because upstream contradicts itself and nobody knows whether it stands: the
-- entry on the work list is open (0059). Beside the send gate and as it: no lock, every change committed before it.
CREATE FUNCTION held_back(asked_id uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = booking, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM visit_flag f WHERE f.appointment_id = asked_id AND f.code = 'HELD_BACK' AND f.done_at IS NULL)
$$;
COMMENT ON FUNCTION held_back IS 'Whether a visit is on the work list as HELD_BACK as of now: nobody is told of it meanwhile.';

REVOKE ALL ON FUNCTION held_back(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION held_back(uuid) TO attend_notifier;
