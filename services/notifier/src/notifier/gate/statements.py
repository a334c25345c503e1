"""The gate's statements, each for a whole batch: booking's send gate, and the facts besides it and the opt-outs."""

FACTS = """
SELECT asked.notification_id,
       said.version AS preference_version, said.whatsapp, said.sms, said.email,
       told.today,
       asked.clinic_id, coalesce(chosen.mode, (SELECT mode FROM sending_mode)) AS mode, chosen.allow_list,
       chosen.double_over_miss, chosen.no_show_follow_up, chosen.replies, chosen.channel_windows
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::uuid[])
    AS asked (notification_id, appointment_id, patient_id, clinic_id, day_begins, day_ends, replaces)
LEFT JOIN preference AS said ON said.patient_id = asked.patient_id
LEFT JOIN clinic_sending AS chosen ON chosen.clinic_id = asked.clinic_id
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE other.accepted_at >= asked.day_begins AND other.accepted_at < asked.day_ends
                               OR other.accepted_at IS NULL AND other.state IN ('sending', 'unknown')
                                  AND other.changed_at >= asked.day_begins AND other.changed_at < asked.day_ends)
               AS today
    FROM notification AS other
    WHERE other.appointment_id IN (asked.appointment_id, asked.replaces) AND other.recipient = 'patient'
      AND coalesce(other.recipient_id, asked.patient_id) = asked.patient_id
      AND other.notification_id <> asked.notification_id
) AS told"""
"""A message that may have been accepted counts as one said today (D18)."""

GATE = """
SELECT appointment_id, version, status, schedule_gen, starts_at, ends_at, zone, service_type,
       patient_id, registered, given_name, family_name, language, mobile, email, consent, do_not_contact, deceased,
       clinic_id, clinic_name, clinic_languages, clinic_sensitive, window_opens,
       window_closes, provider_id, provider_name, clinic_country, clinic_details,
       contact_of, held_back
FROM booking.send_gate($1::uuid[]) JOIN booking.clinic_gate($1::uuid[]) USING (appointment_id)
CROSS JOIN booking.contact_of(patient_id) AS contact_of
CROSS JOIN booking.held_back(appointment_id) AS held_back"""

LACKS = """
SELECT appointment_id, kind, title, how, link FROM booking.clearance_gate($1::uuid[], $2::timestamptz)
ORDER BY appointment_id, place"""
"""Asked for notices of what is missing alone: booking has made the function before it tells of the first."""

PEOPLE = """
SELECT asked_id, patient_id, registered, given_name, family_name, language, mobile, email, consent, do_not_contact,
       deceased, contact_of
FROM booking.person_gate($1::uuid[]) CROSS JOIN booking.contact_of(patient_id) AS contact_of"""

SAID = """
SELECT one.notification_id, one.appointment_id, one.replaces, one.recipient, one.recipient_id, one.kind,
       one.said_starts_at, one.clinic_id, coalesce(last.schedule_gen, one.schedule_gen) AS schedule_gen,
       coalesce(one.said_at, one.accepted_at, one.changed_at) AS at,
       one.state = 'sending' AND one.accepted_at IS NULL AS under_way,
       one.state = 'skipped' AND one.reason = 'BACKFILL' AS is_imported
FROM notification AS one LEFT JOIN attempt AS last ON last.attempt_id = one.attempt_id
WHERE (one.appointment_id = ANY($1::uuid[]) OR one.replaces = ANY($1::uuid[]))
  AND one.kind NOT IN ('no-show', 'provider-arrived', 'provider-not-cleared')
  AND (one.accepted_at IS NOT NULL OR one.state IN ('sending', 'unknown')
       OR one.state = 'skipped' AND one.reason = 'BACKFILL'
       OR one.steps @> '[{"reason": "OUTCOME_UNKNOWN"}]')
ORDER BY at, one.notification_id"""
"""What has told, or may have: accepted, under way, or of unknown outcome on some channel. What is imported was told by
whoever kept the visits before (D58)."""
