"""Figures of other programs: each metric a topic, and each value of it an event."""
