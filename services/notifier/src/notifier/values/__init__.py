"""What every room may use: addresses and the keys they are kept under, recipients, kinds of messages."""
