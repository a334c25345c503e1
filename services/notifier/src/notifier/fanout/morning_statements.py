"""The statements of a clinic's morning and of what is planned for it."""

KEEP_PLANS = """
INSERT INTO reminder_plan AS held (appointment_id, version, schedule_gen, reminder_ids, dues, not_afters)
SELECT plan.appointment_id, plan.version, plan.schedule_gen,
       coalesce(array_agg(one.reminder_id ORDER BY one.due) FILTER (WHERE one.reminder_id IS NOT NULL), '{}'),
       coalesce(array_agg(one.due ORDER BY one.due) FILTER (WHERE one.reminder_id IS NOT NULL), '{}'),
       coalesce(array_agg(one.not_after ORDER BY one.due) FILTER (WHERE one.reminder_id IS NOT NULL), '{}')
FROM unnest($1::uuid[], $2::int[], $3::int[]) AS plan (appointment_id, version, schedule_gen)
LEFT JOIN unnest($4::uuid[], $5::uuid[], $6::timestamptz[], $7::timestamptz[])
    AS one (appointment_id, reminder_id, due, not_after) USING (appointment_id)
GROUP BY 1, 2, 3 ORDER BY 1
ON CONFLICT (appointment_id) DO UPDATE
SET version = excluded.version, schedule_gen = excluded.schedule_gen, reminder_ids = excluded.reminder_ids,
    dues = excluded.dues, not_afters = excluded.not_afters
WHERE held.version <= excluded.version"""

DROP_FROM_PLANS = """
UPDATE reminder_plan AS held
SET (reminder_ids, dues, not_afters) = (
    SELECT coalesce(array_agg(one.id ORDER BY one.due), '{}'), coalesce(array_agg(one.due ORDER BY one.due), '{}'),
           coalesce(array_agg(one.not_after ORDER BY one.due), '{}')
    FROM unnest(held.reminder_ids, held.dues, held.not_afters) AS one (id, due, not_after)
    WHERE one.id <> ALL (gone.ids))
FROM (SELECT appointment_id, array_agg(reminder_id) AS ids
      FROM unnest($1::uuid[], $2::uuid[]) AS each (appointment_id, reminder_id) GROUP BY 1) AS gone
WHERE held.appointment_id = gone.appointment_id"""

# Told: a reminder of this schedule was accepted since noon before, or may have been, or waits in the ledger.
# To come: one is planned before the start that the ledger does not have yet and that may still leave.
EXPECTED = """
SELECT morning.place, visit.appointment_id, visit.status, visit.schedule_gen, visit.starts_at,
       EXISTS (SELECT FROM notification AS sent
               WHERE sent.appointment_id = visit.appointment_id AND sent.schedule_gen = visit.schedule_gen
                 AND sent.kind IN ('reminder', 'today')
                 AND (sent.accepted_at >= morning.noon_before OR sent.state IN ('queued', 'sending')
                      OR sent.state = 'unknown' AND sent.changed_at >= morning.noon_before)) AS told,
       EXISTS (SELECT FROM reminder_plan AS plan,
                           unnest(plan.reminder_ids, plan.dues, plan.not_afters) AS one (id, due, not_after)
               WHERE plan.appointment_id = visit.appointment_id AND plan.schedule_gen = visit.schedule_gen
                 AND one.due < visit.starts_at AND one.not_after >= $5
                 AND NOT EXISTS (SELECT FROM notification AS handed
                                 WHERE handed.appointment_id = visit.appointment_id
                                   AND handed.reminder_id = one.id)) AS to_come
FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[]) WITH ORDINALITY
    AS morning (clinic_id, begins, ends, noon_before, place)
JOIN appointment AS visit ON visit.clinic_id = morning.clinic_id
    AND visit.starts_at >= morning.begins AND visit.starts_at < morning.ends
WHERE visit.status IN ('booked', 'arrived', 'checked-in')
ORDER BY morning.place, visit.starts_at, visit.appointment_id"""

FORGET_PLANS = """
DELETE FROM reminder_plan AS held
USING appointment AS visit
JOIN unnest($1::text[], $2::timestamptz[]) AS morning (clinic_id, begins)
    ON visit.clinic_id = morning.clinic_id AND visit.starts_at < morning.begins - interval '3 days'
       AND visit.starts_at >= morning.begins - interval '30 days'
WHERE held.appointment_id = visit.appointment_id"""
