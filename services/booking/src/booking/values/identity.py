"""How appointments and patients are named: by us, and by the systems upstream."""

import re
from uuid import UUID

from booking.values.refusals import Refused

type PatientKey = UUID | tuple[str, str]
"""A patient's id, or (source, source's id) of one who has none yet."""


type Identity = tuple[str, str]
"""(source, source's id)."""


_CODE = re.compile("[A-Z0-9]{2,10}")


def is_clinic_code(text: str) -> bool:
    """Say whether a text may be a clinic's code."""
    return _CODE.fullmatch(text) is not None


def clinic_code(code: str, place: str) -> str:
    """Return a clinic's code."""
    if not is_clinic_code(code):
        raise Refused("ILLEGAL_CLINIC_CODE", "two to ten capital letters and digits", place)
    return code


SOURCE = "attend/booking"
"""Who publishes, in the envelope of every event of booking."""
