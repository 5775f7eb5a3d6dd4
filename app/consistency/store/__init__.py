"""Queries that compare records, and the rows of what differs."""
