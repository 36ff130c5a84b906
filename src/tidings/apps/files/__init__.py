"""Files of rooms and of conversations."""
