"""HTTP: each file parses a request, asks the hub or the runs, and writes the answer."""
