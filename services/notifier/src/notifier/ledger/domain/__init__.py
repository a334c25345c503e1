"""The ledger's rules, pure: what a message is, its states, and what each answer of a carrier makes of it."""
