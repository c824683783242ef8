"""Runs models: plain Python, no Qt."""
