"""The same practice as in the end-to-end tests, in containers."""

from tests.end_to_end.conftest import practice

__all__ = ["practice"]
