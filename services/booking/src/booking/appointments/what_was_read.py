"""What was read of a body, as a hash: a retry that is written anew, with another time of sending, reads the same."""

from hashlib import sha256
from operator import itemgetter

import orjson

from booking.appointments.domain.command import BookAppointment

_NOT_READ = frozenset(
    {"client", "key", "body_sha256", "read_sha256", "arrived_at", "arrived_offset", "warnings", "at_desk"}
    | {"check_in", "keeps", "clinic_otherwise", "follows", "agrees", "read_in"}
)
"""Under what and how a command came, what was dropped of it, and what a message of this kind leaves alone."""

_READ = itemgetter(*(place for place, name in enumerate(BookAppointment._fields) if name not in _NOT_READ))


def with_hash(command: BookAppointment) -> BookAppointment:
    """Return the command with the hash of what was read."""
    return command._replace(read_sha256=sha256(orjson.dumps(_READ(command))).digest())
