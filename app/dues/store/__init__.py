"""Queries about dues; the database itself opens and ends them."""
