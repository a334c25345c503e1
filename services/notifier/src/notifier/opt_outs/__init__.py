"""Who wants no more messages of a category on a channel, and how that is said, kept and lifted (D36).

The address itself is not kept, only a key of it (`values/addresses.py`): enough to hold to it, not to write to it.
"""
