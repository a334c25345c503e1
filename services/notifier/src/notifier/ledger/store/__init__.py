"""The ledger in PostgreSQL: its rows, the transaction that all who lock them share, and what became of them."""
