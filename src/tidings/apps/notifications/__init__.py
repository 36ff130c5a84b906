"""Notifications: each person's topic `users.SLUG`, what it says, and who may say it."""
