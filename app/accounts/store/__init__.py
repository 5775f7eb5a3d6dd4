"""Queries and locks of accounts."""
