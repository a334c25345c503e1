"""What can be opted out of, and the one-click link of an email, pure."""
