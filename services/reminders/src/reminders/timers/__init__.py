"""Durable timers on Faust tables: rows with named instants, kept in a changelog, fired by the clock.

Knows nothing of clinics: what a source record means and what a fired timer says is asked of its
owner through `ports.Owner`. Every extension of Faust is a subclass in a file of its own that names
the fact which makes it necessary; `tests/unit/reminders/timers/test_faust_internals.py` fails when Faust
changes under them.
"""
