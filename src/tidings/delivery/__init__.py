"""Delivery: the hub, which wakes readers, and what writes events to them."""
