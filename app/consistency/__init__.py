"""Consistency: what is recorded twice is compared, and administrators hear where it differs."""
