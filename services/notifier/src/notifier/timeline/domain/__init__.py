"""The facts of all services as one list in the order of time, and the answer it gives, pure."""
