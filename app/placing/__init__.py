"""A place taken and lived in: holds, placements, corrections, erasure."""
