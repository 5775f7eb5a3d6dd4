"""Queries and locks of holds, placements and swaps."""
