"""Exchanges of places that are lawful for everyone in them."""
