"""A country in the computer: years of arrivals through the real rules, to see whether they share a burden fairly."""
