"""Conversations: a person's own talks with assistants."""
