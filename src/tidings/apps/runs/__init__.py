"""Runs in the apps: who may read, stop and answer them."""
