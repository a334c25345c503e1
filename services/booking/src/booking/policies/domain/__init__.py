"""The rules of reminder policies; pure."""
