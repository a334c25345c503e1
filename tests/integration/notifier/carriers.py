"""The carriers of these tests: see `tests.support.carriers`."""

from tests.support.carriers.log import Taken
from tests.support.carriers.programs import Carriers, carriers

__all__ = ["Carriers", "Taken", "carriers"]
