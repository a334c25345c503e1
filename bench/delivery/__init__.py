"""How fast events become durable effects, against what this machine allows."""
