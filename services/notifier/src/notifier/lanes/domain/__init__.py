"""When a carrier is left alone, when a lane stands still, and what cannot be decided, pure."""
