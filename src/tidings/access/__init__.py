"""Access: who sends a request, and what the sender may do.

`tokens.py` and `cookies.py` find the sender. `access.py` decides who may read, publish to and manage a topic: by the
patterns of the token, and by the guard that an app has for its topics (`guards.py`; `guard.py` in each app).
"""
