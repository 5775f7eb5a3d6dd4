"""Rankings, obstacles and plans for a peak, on the wire."""
