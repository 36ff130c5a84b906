"""The rules of a log, and the one loop that appends to it."""
