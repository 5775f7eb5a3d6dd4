"""Queries and locks of the ledger."""
