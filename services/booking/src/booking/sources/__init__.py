"""Upstream systems: when one began to count its events anew, and how strictly its steps are judged."""
