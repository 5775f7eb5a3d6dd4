"""Holds, placements and swaps on the wire."""
