"""Visits that are near and lack what their clinic requires: found by the wall clock, and told of (R34)."""
