"""A small shop over HTTP, in three frameworks from the same handlers."""
