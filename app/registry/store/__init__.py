"""Queries and locks of the register."""
