"""HL7 v2 as upstreams send it: messages in segments, read from bytes, and the acknowledgements they wait for."""
