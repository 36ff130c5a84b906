"""The client and the event source for asyncio, and the driver of their plans. Names and plans are those of `sync`."""
