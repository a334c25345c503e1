"""The gate's rules, pure: the visit, the chain of channels, hours, modes, and the decision."""
