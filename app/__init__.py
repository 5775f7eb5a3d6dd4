"""Plek finds a safe bed in another region, holds it once, and accounts for the burden."""
