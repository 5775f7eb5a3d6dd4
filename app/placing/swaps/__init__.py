"""Exchanges of places between households: searched, proposed, carried out."""
