"""Figures that may be shown: curves, survival, suppression of small counts, review."""
