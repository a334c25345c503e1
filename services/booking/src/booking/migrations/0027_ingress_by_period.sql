-- outside a transaction
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ingress_before_pkey ON ingress (client, key, period);
