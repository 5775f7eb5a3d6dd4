"""Budgets: what one account and one desk may do alone, and how they are raised."""
