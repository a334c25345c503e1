"""The demo: a clinic week on real parts, with what must come out of it computed from the input alone."""
