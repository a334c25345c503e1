"""What happened to a visit, what it has to say, and a clinic's morning, pure."""
