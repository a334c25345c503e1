"""The lanes: messages that are due are claimed under the gate, called once, and their answers written down (G5)."""
