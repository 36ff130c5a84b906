"""Delivery: `hub.py` publishes and wakes readers, `flusher.py` and `subscription.py` write events to them."""
