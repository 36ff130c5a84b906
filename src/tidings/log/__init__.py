"""The rules of a log (`rules.py`), and the one loop that appends to it (`journal.py`), over any store (`port.py`)."""
