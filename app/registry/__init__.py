"""Providers, sites and places, their availability, and the files imported here."""
