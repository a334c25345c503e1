"""What booking speaks with: HTTP, FHIR, Kafka, PostgreSQL."""
