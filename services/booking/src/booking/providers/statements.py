"""Statements about clinicians."""

NEW_PROVIDERS = """
INSERT INTO provider (provider_id, version, source, source_id, name)
SELECT provider_id, 1, source, source_id, name
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS given (provider_id, source, source_id, name)
ORDER BY provider_id
ON CONFLICT DO NOTHING
RETURNING provider_id, name
"""

WRITE_PROVIDER = """
INSERT INTO provider (provider_id, version, source, source_id, name) VALUES ($1, 1, $2, $3, $4)
ON CONFLICT (provider_id) DO UPDATE SET name = excluded.name, version = provider.version + 1
WHERE provider.name <> excluded.name
RETURNING version
"""

PROVIDER_VERSION = "SELECT version FROM provider WHERE provider_id = $1"
