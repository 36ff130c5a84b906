"""SQLite: logs in one file, which all processes of a machine may share."""
