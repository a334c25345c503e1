"""What carriers send in, taken item by item, and read again where nobody could read it."""
