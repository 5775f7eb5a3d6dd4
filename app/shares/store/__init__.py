"""Queries and locks of shares."""
