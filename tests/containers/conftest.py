"""The same world as the end-to-end tests, in containers."""

from tests.end_to_end.conftest import running, world

__all__ = ["running", "world"]
