"""People: presence, the names of accounts, and signing in with a provider."""
