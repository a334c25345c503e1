"""Who was let in, what the clinic required for it, and what of that lacked (R34, 0054)."""
