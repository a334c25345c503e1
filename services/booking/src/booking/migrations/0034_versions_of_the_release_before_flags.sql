-- Whose flags were set before anybody looked after them: a step of its own, since it looks at everybody and locks nothing.
INSERT INTO patient_reissue (patient_id, caused_by)
SELECT p.patient_id, 'booking/0034_versions_of_the_release_before' FROM patient p
WHERE (p.deceased OR p.do_not_contact OR NOT p.consent) AND (
    EXISTS (SELECT FROM appointment a WHERE a.patient_id = p.patient_id AND a.status = 'booked')
    OR EXISTS (SELECT FROM patient_merge m WHERE m.merged_into = p.patient_id)
)
ORDER BY p.patient_id;
