"""Whether a visit is cleared for its check-in: kinds, what clinics require, what is held of each visit (R34, 0053)."""
