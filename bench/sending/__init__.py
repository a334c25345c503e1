"""How fast what happened becomes messages, and messages calls, against what this machine allows."""
