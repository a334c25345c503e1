-- What the release before has told of visits still to come, or may have: to the patient as this service knows him, to the
-- provider whose inbox has it; and the start, where the visit has the generation that the call saw. And for whom it could
-- not tell for want of him, so that he is told if he comes.
UPDATE notification AS told
SET recipient_id = CASE told.recipient WHEN 'patient' THEN visit.patient_id
                   ELSE coalesce((SELECT provider_id FROM inbox WHERE inbox.notification_id = told.notification_id),
                                 visit.provider_id) END,
    said_at = coalesce(told.accepted_at, told.changed_at),
    said_starts_at = CASE WHEN visit.schedule_gen = coalesce(
        (SELECT schedule_gen FROM attempt WHERE attempt.attempt_id = told.attempt_id), told.schedule_gen)
        THEN visit.starts_at END
FROM appointment AS visit
WHERE visit.appointment_id = told.appointment_id AND visit.starts_at > now() - interval '30 days'
  AND told.recipient_id IS NULL
  AND (told.accepted_at IS NOT NULL OR told.state IN ('sending', 'unknown')
       OR told.state = 'skipped' AND told.reason IN ('BACKFILL', 'UNKNOWN_PATIENT', 'NO_CONTACT', 'UNKNOWN_PROVIDER'));
