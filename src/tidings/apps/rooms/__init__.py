"""Rooms: several people, and assistants among them, in one topic each."""
