"""A package whose migrations build an index outside a transaction."""
