"""Business-scoped ids of WhatsApp: a country's two letters, a dot, letters and digits; a parent's says ENT between."""

import re

_USER = re.compile(r"[A-Z]{2}(\.ENT)?\.[A-Za-z0-9]{1,128}")


def user_ids(*given: object) -> tuple[str, ...]:
    """Return those of the values that are such ids, each once, in their order."""
    return tuple(dict.fromkeys(one for one in given if isinstance(one, str) and _USER.fullmatch(one)))
