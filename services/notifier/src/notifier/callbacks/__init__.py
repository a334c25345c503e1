"""What comes in without an operator's key: each request is signed, small, and stored before its 2xx."""
