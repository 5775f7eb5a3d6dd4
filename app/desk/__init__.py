"""The work of an intake desk: what it has in hand, and how far each referral has come."""
