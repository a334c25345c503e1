"""Kafka records, PostgreSQL and HTTP."""
