"""The send gate under watch: each reading with the very snapshot of PostgreSQL that it was made in.

The watched gate is a function of the same name and shape around booking's own. Its log row is written by the statement
that reads the gate, so both have one snapshot, and the snapshot says exactly which of booking's commits came before.
"""

import asyncpg

DEAF = """
SELECT {columns} FROM (SELECT gate.*, 'booked'::text AS was_booked, 1 AS was_first
                       FROM booking.send_gate_itself(appointment_ids) AS gate) AS told"""
"""A gate that never hears of a cancellation: what a race with it must not pass."""

HEARING = "SELECT {columns} FROM booking.send_gate_itself(appointment_ids) AS told"

_LOG = """
CREATE SCHEMA watch;
CREATE TABLE watch.reading (
    transaction_id xid8 NOT NULL, snapshot pg_snapshot NOT NULL,
    appointment_id uuid NOT NULL, read_at timestamptz NOT NULL
);
CREATE TABLE watch.claim (attempt_id uuid PRIMARY KEY, transaction_id xid8 NOT NULL);
CREATE FUNCTION watch.note_claims() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO watch.claim SELECT attempt_id, pg_current_xact_id() FROM made;
    RETURN NULL;
END $$;
CREATE TRIGGER noted AFTER INSERT ON notifier.attempt REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION watch.note_claims();
ALTER FUNCTION booking.send_gate(uuid[]) RENAME TO send_gate_itself"""

_GATE = """
CREATE FUNCTION booking.send_gate(appointment_ids uuid[]) RETURNS {shape}
LANGUAGE sql VOLATILE SECURITY DEFINER AS $$
    WITH logged AS (
        INSERT INTO watch.reading
        SELECT pg_current_xact_id(), pg_current_snapshot(), one, clock_timestamp() FROM unnest(appointment_ids) AS one
    )
    {read}
$$"""


async def watch(admin: asyncpg.Connection, *, deaf: bool = False) -> None:
    """Put the watch around the gate; a deaf one answers every question with version 1, booked."""
    shape = await admin.fetchval("SELECT pg_get_function_result('booking.send_gate'::regproc)")
    names = await admin.fetchval("SELECT proargnames[2:] FROM pg_proc WHERE oid = 'booking.send_gate'::regproc")
    told = {"status": "was_booked", "version": "was_first"} if deaf else {}
    columns = ", ".join(f"told.{told.get(name, name)}" for name in names)
    await admin.execute(_LOG)
    await admin.execute(_GATE.format(shape=shape, read=(DEAF if deaf else HEARING).format(columns=columns)))
    await admin.execute("GRANT EXECUTE ON FUNCTION booking.send_gate(uuid[]) TO attend_notifier")


CALLS = """
SELECT made.attempt_id::text AS attempt_id, one.appointment_id, one.kind, made.channel, made.gated_version,
       (SELECT bool_or(pg_visible_in_snapshot(visit.xmin::text::xid8, gate.snapshot))
        FROM watch.reading AS gate
        WHERE gate.transaction_id = claim.transaction_id AND gate.appointment_id = one.appointment_id) AS saw_the_last
FROM notifier.attempt AS made
JOIN watch.claim AS claim USING (attempt_id)
JOIN notifier.notification AS one USING (notification_id)
JOIN booking.appointment AS visit USING (appointment_id)"""
"""Each call with whether its gate's snapshot held booking's last commit about the visit; null: no gate in its claim."""

CALLS_OF_THE_UNWILLING = """
SELECT made.attempt_id::text AS attempt_id,
       bool_or(pg_visible_in_snapshot(said.xmin::text::xid8, gate.snapshot)) AS knew
FROM notifier.attempt AS made
JOIN watch.claim AS claim USING (attempt_id)
JOIN notifier.notification AS one USING (notification_id)
JOIN watch.reading AS gate ON gate.transaction_id = claim.transaction_id AND gate.appointment_id = one.appointment_id
JOIN notifier.opt_out AS said ON said.channel = made.channel AND said.address_key = made.address_key
WHERE said.category = 'reminders' AND one.kind = 'reminder'
GROUP BY 1"""
"""Each reminder to an address that has opted out, with whether that was committed before its gate was read."""
