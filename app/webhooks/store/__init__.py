"""Queries and locks of webhooks."""
