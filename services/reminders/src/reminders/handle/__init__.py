"""The stories: the worker plans and hands over, the projector records what became of it."""
