"""Queries and locks of the registry."""
