"""A package whose second step fails."""
