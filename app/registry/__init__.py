"""Providers, sites and places, what is free there, and what is loaded or imported."""
