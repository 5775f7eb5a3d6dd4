"""Plek finds a safe bed in another region, holds it once, and writes down who carried what."""
