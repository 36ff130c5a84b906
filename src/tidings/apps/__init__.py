"""The applications, each a folder: rooms, notifications, presence. Their state is a fold of the log."""
