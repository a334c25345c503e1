"""The notifier's ways to the outside: PostgreSQL, Kafka, HTTP, carriers, templates."""
