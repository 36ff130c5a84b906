"""Durable Server-Sent Events: publish to a topic, subscribe from any offset, lose nothing."""
