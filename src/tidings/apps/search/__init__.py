"""Search in the messages of rooms, and in the questions and answers of conversations."""
