"""Alerts: rules that judge the events of topics, and the notices of what they find."""
