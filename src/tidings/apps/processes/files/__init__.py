"""Event logs as files: XES, CSV and OCEL 2.0, read event by event in constant memory."""
