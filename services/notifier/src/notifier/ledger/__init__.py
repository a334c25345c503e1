"""The ledger: every message with its state, and every call that may say it, written down before it is made."""
