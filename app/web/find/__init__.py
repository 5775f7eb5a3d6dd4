"""Find a place: one page from a referral to a hold, for an intake worker at any hour."""
