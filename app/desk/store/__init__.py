"""Queries of a desk."""
