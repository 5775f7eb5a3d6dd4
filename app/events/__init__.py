"""What changed, told to whoever is concerned: doorbell, streams, and rate limits.

Redis lives here.
"""
