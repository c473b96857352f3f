"""Bytes at the mail parsers for as long as somebody likes to wait: `make fuzz`."""
