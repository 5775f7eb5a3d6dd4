"""Sealed rows and their keys: the installation's own keys, shelves, rotation."""
