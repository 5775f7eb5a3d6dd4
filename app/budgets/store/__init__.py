"""Queries about budgets."""
