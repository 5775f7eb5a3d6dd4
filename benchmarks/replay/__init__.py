"""A replay of real arrivals through a fresh demo country, over HTTP, with checks of what must be true at the end."""
