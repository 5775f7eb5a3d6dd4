"""A replay of real arrivals through a fresh demo country, with checks at the end."""
