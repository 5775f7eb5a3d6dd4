"""Simulated years under the real rules, to see whether they share a burden fairly."""
