"""The gate: whether a message may leave now, how, or until when it waits, or why it never will."""
