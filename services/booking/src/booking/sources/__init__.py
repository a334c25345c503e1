"""Upstream systems: when one began to count its events anew."""
