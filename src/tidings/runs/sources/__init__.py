"""Sources of a run's events: LangChain runnables, and generators of text."""
