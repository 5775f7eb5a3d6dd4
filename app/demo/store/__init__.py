"""Queries of the demo country."""
