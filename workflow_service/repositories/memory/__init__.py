"""Repositories in memory, for tests and simulation; they answer as those on MongoDB do, and forget all at the end."""
