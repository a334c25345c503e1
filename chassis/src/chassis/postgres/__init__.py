"""PostgreSQL: pools, migrations and roles, retention, the size of a transaction, and what is said after its commit."""
