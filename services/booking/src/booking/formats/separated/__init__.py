"""Files of separated values, as practices export them."""
