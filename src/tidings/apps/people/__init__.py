"""People: who is here, on whichever process, and the topic that says so."""
