"""The applications, each a folder: rooms, conversations, notifications, dashboards, alerts and the others.

Their state is a fold of the log. `guard.py` in each folder says who may read and write the app's topics.
"""
