"""Events as bytes, a file for each protocol; `sse.py` makes the bytes of an event stream.

The functions are pure: no I/O, no async, no framework.
"""
