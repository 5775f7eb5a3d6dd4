"""Backups: one file that is whole or is not there, and the way back from it."""
