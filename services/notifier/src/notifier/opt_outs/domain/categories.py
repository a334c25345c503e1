"""Who wants no more messages: by channel, address and category (D36).

The address itself is not kept, only a key of it (`values/addresses.py`): enough to hold to it, not to write to it.
"""

from enum import StrEnum

from schemas.notifications import Kind


class Category(StrEnum):
    """What a patient may have had enough of."""

    REMINDERS = "reminders"
    NOTICES = "notices"


_CATEGORIES: dict[Kind, Category] = {
    Kind.REMINDER: Category.REMINDERS,
    Kind.TODAY: Category.REMINDERS,
    Kind.NO_SHOW: Category.REMINDERS,
    Kind.CONFIRMATION: Category.NOTICES,
    Kind.MOVED: Category.NOTICES,
    Kind.CANCELLED: Category.NOTICES,
}


def category_of(kind: Kind) -> Category | None:
    """Return the category of a message to a patient; None for what goes to providers, who cannot opt out here."""
    return _CATEGORIES.get(kind)
