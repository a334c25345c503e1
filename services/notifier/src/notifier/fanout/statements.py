"""Every statement of fan-out. Set-based, rows sorted by key."""

from notifier.ledger.statements import ALL

HELD = """
SELECT appointment_id::text, version, status, starts_at, clinic_id, patient_id::text, provider_id::text, turned_at
FROM appointment WHERE appointment_id = ANY($1::text[]::uuid[])"""

KEEP = """
INSERT INTO appointment AS held (appointment_id, version, status, schedule_gen, starts_at, provider_id, patient_id,
                                 clinic_id, service_type, ends_at, turned_at)
SELECT appointment_id, version, status, schedule_gen, starts_at, provider_id, patient_id, clinic_id, service_type,
       ends_at, turned_at
FROM unnest($1::text[]::uuid[], $2::int[], $3::text[], $4::int[], $5::timestamptz[], $6::text[]::uuid[],
            $7::text[]::uuid[], $8::text[], $9::text[], $10::timestamptz[], $11::timestamptz[])
    AS told (appointment_id, version, status, schedule_gen, starts_at, provider_id, patient_id, clinic_id,
             service_type, ends_at, turned_at)
ORDER BY 1
ON CONFLICT (appointment_id) DO UPDATE
SET version = excluded.version, status = excluded.status, schedule_gen = excluded.schedule_gen,
    starts_at = excluded.starts_at, provider_id = excluded.provider_id, patient_id = excluded.patient_id,
    clinic_id = excluded.clinic_id, service_type = excluded.service_type, ends_at = excluded.ends_at,
    turned_at = excluded.turned_at
WHERE held.version < excluded.version"""

KNOWN = "SELECT notification_id FROM notification WHERE notification_id = ANY($1::uuid[])"

# What brings somebody up to date and is open: queued, or waiting for a patient, a contact or a provider.
_NEWS = "kind IN ('confirmation', 'moved', 'cancelled', 'provider-booked', 'provider-moved', 'provider-cancelled')"
# For want of somebody, or for a bar that may be lifted. What a person took off the work list stays as it is.
_WAITING_FOR = """('UNKNOWN_PATIENT', 'NO_CONTACT', 'UNKNOWN_PROVIDER', 'DECEASED', 'DO_NOT_CONTACT', 'NO_CONSENT',
    'OPTED_OUT', 'CHANNELS_DISABLED')"""
_WAITS = f"""state = 'skipped' AND reason IN {_WAITING_FOR} AND NOT EXISTS (
    SELECT FROM work_list_action AS done
    WHERE done.notification_id = notification.notification_id AND done.action = 'drop')"""  # constants of ours

OPEN_NEWS = f"""
SELECT {ALL} FROM notification
WHERE appointment_id = ANY($1::uuid[]) AND {_NEWS} AND (state = 'queued' OR {_WAITS})
ORDER BY notification_id FOR UPDATE"""  # noqa: S608  # constants of ours

# Closed by the gate before anybody was told, or may have been (as in `gate.statements.SAID`): what it was to say may be
# so again.
CLOSED_NEWS = f"""
SELECT {ALL} FROM notification
WHERE notification_id = ANY($1::uuid[]) AND {_NEWS} AND state = 'skipped' AND accepted_at IS NULL
  AND NOT steps @> '[{{"reason": "OUTCOME_UNKNOWN"}}]'
  AND reason IN ('APPOINTMENT_CANCELLED', 'SUPERSEDED', 'ALREADY_TOLD', 'NOT_SENDABLE')
ORDER BY notification_id FOR UPDATE"""  # noqa: S608  # constants of ours

_IS_NEWS_LATER = "kind NOT IN ('provider-arrived', 'provider-not-cleared')"

# Messages that wait, and for whom: a message that names nobody, as reminders and those of the release before, is to
# whose visit it is. What has an hour of its own is a patient's; an arrival, or a check-in, is no news once it was
# missed. Each of the three is found by an index: by whom it names, by the patient of its visit, and, those to
# providers, as they are few.
_WAITING = f"""
SELECT notification_id, appointment_id, kind, recipient_id AS person FROM notification
WHERE recipient_id = ANY($1::text[]::uuid[]) AND {_IS_NEWS_LATER} AND {_WAITS} AND not_after > $2
UNION ALL
SELECT notification_id, appointment_id, kind, visit.patient_id
FROM notification JOIN appointment AS visit USING (appointment_id)
WHERE recipient_id IS NULL AND recipient = 'patient' AND visit.patient_id = ANY($1::text[]::uuid[])
  AND {_WAITS} AND not_after > $2
UNION ALL
SELECT notification_id, appointment_id, kind, visit.provider_id
FROM notification JOIN appointment AS visit USING (appointment_id)
WHERE recipient_id IS NULL AND recipient = 'provider' AND visit.provider_id = ANY($1::text[]::uuid[])
  AND {_IS_NEWS_LATER} AND {_WAITS} AND not_after > $2"""  # noqa: S608

CONCERNED = f"SELECT DISTINCT person::text FROM ({_WAITING}) AS waiting"  # noqa: S608  # constants of ours

WAITING_VISITS = f"""
SELECT DISTINCT appointment_id FROM ({_WAITING}) AS waiting WHERE {_NEWS} AND appointment_id IS NOT NULL"""  # noqa: S608

# With all that is locked when their visits are brought up to date: whoever locks some of it first and the rest later
# stands in the way of one who locks it all in its order.
WAITING = f"""
WITH waiting AS ({_WAITING})
SELECT {ALL} FROM notification
WHERE notification_id IN (
    SELECT notification_id FROM waiting
    UNION
    SELECT notification_id FROM notification
    WHERE appointment_id IN (SELECT appointment_id FROM waiting WHERE {_NEWS})
      AND {_NEWS} AND (state = 'queued' OR {_WAITS})
) AND (state = 'queued' OR {_WAITS})
ORDER BY notification_id FOR UPDATE"""  # noqa: S608  # constants of ours

# To whom something waits because of an opt-out; where it names nobody, of which visit.
STOPPED = """
SELECT DISTINCT recipient_id, CASE WHEN recipient_id IS NULL THEN appointment_id END FROM notification
WHERE state = 'skipped' AND reason = 'OPTED_OUT' AND not_after > $1"""

# Twins: visits of one patient, clinic and service (D37). Each that turned just now, with those that matter to it: for
# a booked one the visits ahead that stand since before, and those cancelled close to it; for a cancelled one those
# booked close to it.
TWINS = """
SELECT one.appointment_id, other.appointment_id, one.status, other.status
FROM appointment AS one JOIN appointment AS other
    ON other.patient_id = one.patient_id AND other.clinic_id = one.clinic_id
       AND other.service_type IS NOT DISTINCT FROM one.service_type AND other.appointment_id <> one.appointment_id
WHERE one.appointment_id = ANY($1::uuid[])
  AND (one.status = 'booked' AND other.status = 'booked' AND other.starts_at > $3
           AND coalesce(other.turned_at, '-infinity') < one.turned_at - make_interval(secs => $2)
       OR (one.status, other.status) IN (('booked', 'cancelled'), ('cancelled', 'booked'))
           AND other.turned_at >= one.turned_at - make_interval(secs => $2)
           AND other.turned_at <= one.turned_at + make_interval(secs => $2))
ORDER BY other.turned_at, other.appointment_id, one.appointment_id"""

# Other visits of the patient at the clinic, as they were read last, less than a day from where the moved one stood.
BESIDE = """
SELECT asked.appointment_id, other.appointment_id, other.starts_at
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[])
    AS asked (appointment_id, patient_id, clinic_id, stood_at)
JOIN appointment AS other ON other.patient_id = asked.patient_id AND other.clinic_id = asked.clinic_id
    AND other.appointment_id <> asked.appointment_id AND other.status = 'booked'
    AND other.starts_at > asked.stood_at - interval '1 day' AND other.starts_at < asked.stood_at + interval '1 day'"""

TURNS = 256
"""Locks that stand for all patients: a transaction holds no more, however many it folds."""
TURN_CLASS = 1_146_369_335
"""The first half of our advisory locks' keys: nobody else's (D37 in ASCII, and a 7)."""

# By whom else they are held: a turn that is free now is taken, if at all, by one who then sees all that we have seen.
TURNS_TAKEN = """
SELECT DISTINCT objid::bigint FROM pg_locks
WHERE locktype = 'advisory' AND classid::bigint = $1::int AND objsubid = 2 AND pid <> pg_backend_pid()
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""

TAKE_TURNS = "SELECT pg_advisory_xact_lock($1::int, turn) FROM unnest($2::int[]) AS turn"

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
