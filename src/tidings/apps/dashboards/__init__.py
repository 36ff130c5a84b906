"""Dashboards: documents of cards, each the topic `dashboards.ID` with a version an event."""
