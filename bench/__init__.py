"""Tidings' benchmark: `python -m bench`. Scenarios of many readers and publishers, side by side with other servers.

load.c plays the clients; servers/ starts what is measured; scenarios.py says what is asked of it, encode.py times one
event's encoding, report.py writes docs/performance.md. Figures are compared with their targets, never tested by them.
"""
