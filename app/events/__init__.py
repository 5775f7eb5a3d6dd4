"""Changes, told to those concerned: doorbell, streams, and rate limits over Redis."""
