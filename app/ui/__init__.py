"""Widgets only: they show state and emit wishes."""
