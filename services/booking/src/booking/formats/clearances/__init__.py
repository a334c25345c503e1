"""Clearances as other systems write them: our own event on a topic, FHIR's Consent and CoverageEligibilityResponse."""
