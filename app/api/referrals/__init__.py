"""Referrals and what belongs to them, on the wire."""
