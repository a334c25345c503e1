"""Events are written in the transaction of their cause and published by a relay (G2)."""
