"""Consistency: compare what is recorded twice, and tell administrators what differs."""
