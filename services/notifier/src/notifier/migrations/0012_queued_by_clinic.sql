-- A claim asks each account for its clinics' messages, soonest deadline first.
CREATE INDEX notification_queued_clinic ON notification (lane, clinic_id, not_after) WHERE state = 'queued';
