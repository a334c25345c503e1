"""Who a message is to."""

PATIENT = "patient"
PROVIDER = "provider"
