"""Queries and locks of referrals."""
