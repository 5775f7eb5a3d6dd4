"""Policies, by whose numbers places are ranked, and trials of a draft."""
