"""Kafka as aiokafka reaches it: fetching, what cannot be read, batches that unpack too large, producers and topics."""
