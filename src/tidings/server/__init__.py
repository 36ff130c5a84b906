"""The server: every part wired together, and the process that serves it."""
