"""Providers, sites, places and what is free, on the wire."""
