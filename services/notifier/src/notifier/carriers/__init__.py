"""The ways out, a folder a carrier: each composes, calls, and reads what its carrier calls back."""
