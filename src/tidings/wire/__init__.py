"""Pure codecs between events and the bytes of each protocol: no I/O, no async, no framework."""
