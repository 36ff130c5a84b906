"""The synchronous client, the event source, and the driver of their plans."""
