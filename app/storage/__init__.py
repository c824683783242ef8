"""Everything that lasts: one SQLite file; plain Python, no Qt."""
