"""Queries and locks of rankings."""
