-- Visits that are near and lack something (R34): which were looked at so many days before, and, for whoever is about to
-- tell a patient, what lacks now (0056).

CREATE TABLE clearance_notice (
    appointment_id uuid NOT NULL,
    schedule_gen   int NOT NULL,
    days           int NOT NULL,
    lacked         boolean NOT NULL,
    slot           text NOT NULL,
    looked_at      timestamptz NOT NULL, -- domain time
    PRIMARY KEY (appointment_id, schedule_gen, days)
);
CREATE INDEX clearance_notice_age ON clearance_notice (looked_at);
COMMENT ON TABLE clearance_notice IS 'Each schedule of a visit is looked at once, so many days before its start.';
COMMENT ON COLUMN clearance_notice.lacked IS 'Whether it lacked something then, so that clearance.missing was published.';
COMMENT ON COLUMN clearance_notice.slot IS 'The time slot of the job clearance-notice in which it was.';

-- What visits lack that their clinics require, in the order of the policy: beside the send gate and as it, no lock, every
-- change committed before it. It decides as `clearances/domain/standing.py` does; a test holds the two against each other.
-- A name is given where a clinic gave one: for what every clinic may ask for the messages have words of their own.
CREATE FUNCTION clearance_gate(appointment_ids uuid[], asked_at timestamptz)
RETURNS TABLE (appointment_id uuid, place int, kind text, title text, how text, link text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = booking, pg_temp
AS $$
    WITH visits AS MATERIALIZED (
        SELECT a.appointment_id, a.clinic_id, a.service_type, greatest(asked_at, a.starts_at) AS at,
               coalesce((SELECT m.kept FROM kept_patients(ARRAY[a.patient_id]) m), a.patient_id) AS patient_id
        FROM appointment a
        WHERE a.appointment_id = ANY (appointment_ids) AND a.version > 0
    ), held AS MATERIALIZED ( -- what was given for the visit's patient; who was merged is who he was merged into
        SELECT c.appointment_id, c.kind, c.form, c.version, c.state, c.payer_class, c.expires_at, c.form_version,
               coalesce(c.said_at, c.recorded_at) AS stands_at
        FROM visits v JOIN clearance c ON c.appointment_id = v.appointment_id
        WHERE v.patient_id = coalesce((SELECT m.kept FROM kept_patients(ARRAY[c.patient_id]) m), c.patient_id)
    ), asked AS MATERIALIZED (
        SELECT a.appointment_id, a.clinic_id, p.requires, a.at,
               (SELECT CASE WHEN c.state IN ('cleared', 'waived')
                                 AND (c.expires_at IS NULL OR c.expires_at > a.at)
                            THEN c.payer_class END
                FROM held c
                WHERE c.appointment_id = a.appointment_id AND c.payer_class IS NOT NULL
                ORDER BY c.stands_at DESC, c.kind, c.form LIMIT 1) AS payer_class
        FROM visits a
        CROSS JOIN LATERAL (
            SELECT newest.requires FROM (
                (SELECT 1 AS nth, o.requires, o.unset FROM clearance_policy o
                 WHERE o.clinic_id = a.clinic_id AND o.service_type = a.service_type ORDER BY o.version DESC LIMIT 1)
                UNION ALL
                (SELECT 2 AS nth, o.requires, o.unset FROM clearance_policy o
                 WHERE o.clinic_id = a.clinic_id AND o.service_type IS NULL ORDER BY o.version DESC LIMIT 1)
            ) newest WHERE NOT newest.unset ORDER BY newest.nth LIMIT 1
        ) p
    )
    SELECT q.appointment_id, r.nth::int, r.one ->> 'kind',
           CASE WHEN k.is_own THEN k.title ELSE '' END,
           coalesce(r.one ->> 'how', CASE WHEN k.is_own THEN k.how END, ''),
           coalesce(r.one ->> 'link', k.link, '')
    FROM asked q
    CROSS JOIN LATERAL jsonb_array_elements(q.requires) WITH ORDINALITY AS r (one, nth)
    LEFT JOIN LATERAL (
        SELECT o.title, o.how, o.link, o.set_by <> 'attend' AS is_own FROM clearance_kind o
        WHERE o.kind = r.one ->> 'kind' AND (o.clinic_id IS NULL OR o.clinic_id = q.clinic_id)
        ORDER BY o.clinic_id NULLS LAST, o.kind_id DESC LIMIT 1
    ) k ON true
    WHERE NOT (r.one ? 'payer_classes' AND q.payer_class IS NOT NULL AND NOT (r.one -> 'payer_classes') ? q.payer_class)
      AND NOT EXISTS (
          SELECT FROM held c
          WHERE c.appointment_id = q.appointment_id AND c.kind = r.one ->> 'kind'
            AND (NOT r.one ? 'form' OR c.form = r.one ->> 'form')
            AND c.state IN ('cleared', 'waived')
            AND (c.expires_at IS NULL OR c.expires_at > q.at)
            AND (NOT r.one ? 'versions' OR coalesce((r.one -> 'versions') ? c.form_version, false))
            AND NOT EXISTS ( -- taken back by what names no form, or as what names none
                SELECT FROM held t
                WHERE t.appointment_id = c.appointment_id AND t.kind = c.kind AND t.state IN ('refused', 'withdrawn')
                  AND '' IN (t.form, c.form)
                  AND (t.stands_at, t.version) > (c.stands_at, c.version)
            )
      )
$$;
COMMENT ON FUNCTION clearance_gate IS 'What visits lack as of now; those that lack nothing are absent. title, how and link are empty where nobody gave one.';

REVOKE ALL ON FUNCTION clearance_gate(uuid[], timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION clearance_gate(uuid[], timestamptz) TO attend_notifier;
