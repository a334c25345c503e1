-- Deceased, do-not-contact, no consent (D44): each version says so, and a flag that changes gives the visits ahead their next one.

ALTER TABLE appointment_history ADD COLUMN barred text;
COMMENT ON COLUMN appointment_history.barred IS
    'Why no message may go to the patient, as this version says it; null: one may, or the release that wrote it did not say.';

CREATE TABLE patient_reissue (
    reissue_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient_id uuid NOT NULL,
    caused_by  text NOT NULL,
    fence      xid8,
    looked     boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE patient_reissue IS
    'Patients whose flags changed, until their visits ahead say so: looked at once at once, and once when all transactions of before have ended.';
COMMENT ON COLUMN patient_reissue.fence IS
    'A transaction id younger than the change: once all up to it have ended, nobody still stamps the flags before it.';

INSERT INTO patient_reissue (patient_id, caused_by)
SELECT p.patient_id, 'booking/0025_barred' FROM patient p
WHERE (p.deceased OR p.do_not_contact OR NOT p.consent)
  AND EXISTS (SELECT FROM appointment a WHERE a.patient_id = p.patient_id AND a.status = 'booked')
ORDER BY p.patient_id;
