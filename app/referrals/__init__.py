"""Households that need a place: referrals, contacts, shields, waiting, alternatives."""
