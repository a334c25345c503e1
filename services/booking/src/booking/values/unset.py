"""Fields that a command does not mention: what is held stays."""

from enum import Enum
from typing import Final, Literal


class Unset(Enum):
    """Marks a field that the command does not mention: what is held stays. In JSON it is no text, time or flag."""

    UNSET = 0


UNSET: Final = Unset.UNSET


type Maybe[T] = T | Literal[Unset.UNSET]
