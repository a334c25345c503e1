"""The one-click link of an email, pure."""
