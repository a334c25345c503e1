"""Fan-out: what happened to a visit becomes what is to be said to whom, each thing once."""
